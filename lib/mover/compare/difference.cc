#include "lib/mover/compare/difference.h"

#include <cerrno>
#include <string_view>

#include "lib/mover/attempt.h"
#include "lib/mover/probe_verdict.h"

namespace truenas::mover {
namespace {

constexpr std::uint64_t k_tolerated_bytes = 1 << 20;  // file systems round and compress differently

std::string both(const std::string& source, const std::string& target) {
  return "source " + source + ", target " + target;
}

bool is_device(FileType type) {
  return type == FileType::block_device || type == FileType::character_device;
}

}  // namespace

std::vector<Difference> attribute_differences(const Attributes& source, const Attributes& target,
                                              const OwnerMap& owners) {
  if (source.type != target.type) {
    return {{"type", both(type_name(source.type), type_name(target.type))}};
  }
  std::vector<Difference> found;
  const Owner expected = owners.apply(source.owner);
  if (expected != target.owner) {
    const std::string mapped = expected == source.owner ? "" : " (mapped to " + owner_text(expected) + ")";
    found.push_back({"owner", both(owner_text(source.owner) + mapped, owner_text(target.owner))});
  }
  if (source.type != FileType::symlink && source.mode != target.mode) {
    found.push_back({"mode", both(mode_text(source.mode), mode_text(target.mode))});
  }
  if (source.mtime != target.mtime) {
    found.push_back({"mtime", both(time_text(source.mtime), time_text(target.mtime))});
  }
  if (source.type == FileType::regular && source.size != target.size) {
    found.push_back({"size", both(std::to_string(source.size), std::to_string(target.size))});
  }
  if (is_device(source.type) && source.rdev != target.rdev) {
    found.push_back({"device", both(std::to_string(source.rdev), std::to_string(target.rdev))});
  }
  return found;
}

std::vector<Difference> xattr_differences(const ExtendedAttributes& source,
                                          const ExtendedAttributes& target) {
  std::string text;
  const auto add = [&](const std::string& name, const char* what) {
    text += (text.empty() ? "" : ", ") + shown(name) + " " + what;
  };
  for (const auto& [name, value] : source) {
    const auto there = target.find(name);
    if (there == target.end()) {
      add(name, "missing");
    } else if (there->second != value) {
      add(name, "differs");
    }
  }
  for (const auto& [name, value] : target) {
    if (!source.contains(name)) add(name, "extraneous");
  }
  if (text.empty()) return {};
  return {{"xattr", text}};
}

Difference not_compared(const char* side, const char* doing, int number, Timestamp seen) {
  const bool gone = number == ENOENT || number == ENOTDIR || number == ELOOP;
  return {gone ? "changed-while-compared" : "unreadable",
          std::string(side) + ": " + doing + ": " + errno_text(number), side == std::string_view("target"),
          seen};
}

bool lost_holes(const Attributes& source, const Attributes& target) {
  const std::uint64_t before = source.blocks * 512, after = target.blocks * 512;
  return source.type == FileType::regular && before < source.size && after > 2 * before + k_tolerated_bytes;
}

}  // namespace truenas::mover
