#include "lib/mover/scan_totals.h"

#include <algorithm>

#include "lib/mover/attempt.h"
#include "lib/mover/entry.h"
#include "lib/mover/path_text.h"
#include "lib/mover/probe_verdict.h"
#include "lib/mover/utf8.h"

namespace truenas::mover {
namespace {

constexpr std::size_t k_biggest = 10;
constexpr std::size_t k_listed = 50;
constexpr std::size_t k_shown_path = 200;

std::string short_path(const std::string& path) {
  const std::string text = shown(path);
  const std::string_view cut = cut_utf8(text, k_shown_path);
  return std::string(cut) + (cut.size() < text.size() ? "…" : "");
}

}  // namespace

void ScanTotals::add(std::string_view path, std::size_t depth, std::string_view name,
                     const Attributes& attributes) {
  ++entries_;
  ++by_type_[static_cast<std::size_t>(attributes.type)];
  allocated_ += attributes.blocks * 512;
  OwnerTotal& owner = owners_[attributes.owner];
  ++owner.entries;
  if (!is_utf8(name)) ++not_utf8_;
  if (path.size() >= k_near_path_max) ++near_path_max_;
  if ((attributes.mode & 07000) != 0 && attributes.type != FileType::directory) ++special_modes_;
  longest_path_ = std::max(longest_path_, path.size());
  longest_name_ = std::max(longest_name_, name.size());
  if (depth > deepest_) {
    deepest_ = depth;
    deepest_path_ = path.substr(0, 4 * k_shown_path);
  }
  if (attributes.type == FileType::directory) return;
  bool first_name = true;
  if (attributes.links > 1) {
    Links& links = links_[attributes.key()];
    first_name = links.seen++ == 0;
    links.all = attributes.links;
  }
  // The bytes of a hard link are there once.
  if (!first_name) {
    allocated_ -= attributes.blocks * 512;
  } else if (attributes.type == FileType::regular) {
    owner.bytes += attributes.size;
    add_file(path, attributes);
  }
}

void ScanTotals::add_file(std::string_view path, const Attributes& attributes) {
  bytes_ += attributes.size;
  if (attributes.blocks * 512 < attributes.size) {
    ++sparse_;
    sparse_bytes_ += attributes.size - attributes.blocks * 512;
  }
  if (biggest_.size() == k_biggest && biggest_.back().bytes >= attributes.size) return;
  const auto at = std::find_if(biggest_.begin(), biggest_.end(),
                               [&](const Biggest& one) { return one.bytes < attributes.size; });
  biggest_.insert(at, Biggest{attributes.size, std::string(path)});
  if (biggest_.size() > k_biggest) biggest_.pop_back();
}

void ScanTotals::write(Outcome& outcome) const {
  const auto count = [&](std::string name, std::uint64_t number) {
    outcome.counts.emplace_back(std::move(name), number);
  };
  const auto of = [&](FileType type) { return by_type_[static_cast<std::size_t>(type)]; };
  count("entries", entries_);
  count("files", of(FileType::regular));
  count("directories", of(FileType::directory));
  count("symlinks", of(FileType::symlink));
  count("fifos", of(FileType::fifo));
  count("sockets", of(FileType::socket));
  count("devices", of(FileType::block_device) + of(FileType::character_device) + of(FileType::unknown));
  count("bytes", bytes_);
  count("bytes_allocated", allocated_);
  write_links(outcome);
  count("sparse_or_compressed_files", sparse_);
  count("sparse_or_compressed_bytes", sparse_bytes_);
  count("setuid_setgid_sticky_files", special_modes_);
  count("names_not_utf8", not_utf8_);
  count("paths_near_path_max", near_path_max_);
  count("longest_path", longest_path_);
  count("longest_name", longest_name_);
  count("deepest_level", deepest_);
  count("left_out", left_out_);
  count("owners", owners_.size());
  write_owners(outcome);
  std::size_t listed = 0;
  count("xattr_names", xattrs_.size());
  for (const auto& [name, number] : xattrs_) {
    if (listed++ < k_listed) count("xattr." + shown(name), number);
  }
  if (!deepest_path_.empty()) outcome.facts.emplace_back("deepest", short_path(deepest_path_));
  for (std::size_t i = 0; i < biggest_.size(); ++i) {
    outcome.facts.emplace_back("biggest." + std::to_string(i + 1),
                               std::to_string(biggest_[i].bytes) + " " + short_path(biggest_[i].path));
  }
}

// Groups by file, and those of which other names lie outside the tree: copies of these no longer share.
void ScanTotals::write_links(Outcome& outcome) const {
  std::uint64_t groups = 0, names = 0, outside = 0;
  for (const auto& [key, links] : links_) {
    if (links.seen > 1) {
      ++groups;
      names += links.seen;
    }
    if (links.seen < links.all) ++outside;
  }
  outcome.counts.emplace_back("hard_link_groups", groups);
  outcome.counts.emplace_back("hard_link_names", names);
  outcome.counts.emplace_back("hard_links_to_outside", outside);
}

// Those with most entries first.
void ScanTotals::write_owners(Outcome& outcome) const {
  std::vector<std::pair<Owner, OwnerTotal>> sorted(owners_.begin(), owners_.end());
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& left, const auto& right) {
    return left.second.entries > right.second.entries;
  });
  for (std::size_t i = 0; i < sorted.size() && i < k_listed; ++i) {
    const auto& [owner, total] = sorted[i];
    outcome.counts.emplace_back("owner." + owner_text(owner), total.entries);
  }
}

}  // namespace truenas::mover
