// What is wrong with a set of parameters by itself (facts of the driver's own checks and of the NAS's).

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "lib/base/text.h"
#include "lib/storage/class_parameters.h"

namespace truenas::storage {
namespace {

using Traps = std::vector<std::string>;

const std::string* find(const Strings& parameters, std::string_view key) {
  const auto found = parameters.find(std::string(key));
  return found == parameters.end() ? nullptr : &found->second;
}

bool is_empty(const std::string* value) {
  return value != nullptr && value->empty();
}

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

void check_protocol(const Strings& parameters, Traps& traps) {
  const std::string* protocol = find(parameters, "protocol");
  if (protocol == nullptr || protocol->empty() || lower(*protocol) == "nfs") return;
  traps.push_back(
      fmt::format("protocol is {}, not nfs: nothing of the nfs.* parameters applies", quote(*protocol)));
}

void check_compression(const Strings& parameters, Traps& traps) {
  static constexpr std::array<std::string_view, 12> known = {"off",    "lz4",    "gzip",   "gzip-1",
                                                             "gzip-9", "zstd",   "zstd-1", "zstd-3",
                                                             "zstd-5", "zstd-7", "zstd-9", "zle"};
  const std::string* compression = find(parameters, "compression");
  if (compression == nullptr || compression->empty()) return;
  const std::string word = lower(*compression);
  if (word == "lzjb" || std::find(known.begin(), known.end(), word) != known.end()) return;
  traps.push_back(
      fmt::format("compression {} is refused by the driver: no volume can be made", quote(*compression)));
}

void check_maps(const Strings& parameters, Traps& traps) {
  const std::string *user = find(parameters, "nfs.mapAllUser"), *group = find(parameters, "nfs.mapAllGroup");
  const std::string* squash = find(parameters, "nfs.rootSquash");
  if (squash != nullptr && *squash == "false") {
    traps.push_back(
        "nfs.rootSquash is false: root in any Pod is root on the share; builds older than upstream v1.1.2 "
        "ignore the "
        "key and squash everybody");
    if (user != nullptr || group != nullptr) {
      traps.push_back("nfs.mapAllUser and nfs.mapAllGroup are not used while nfs.rootSquash is false");
    }
    return;
  }
  if (squash != nullptr && *squash != "true") {
    traps.push_back(fmt::format("nfs.rootSquash is {}: only \"false\" turns it off", quote(*squash)));
  }
  if (is_empty(user) && !is_empty(group)) {
    traps.push_back(
        "nfs.mapAllUser is empty and nfs.mapAllGroup is not: the fork build then asks for a map group "
        "without a map "
        "user, which the NAS refuses, so that no volume can be made; both must be empty together");
  } else if (is_empty(user) && is_empty(group)) {
    traps.push_back(
        "empty nfs.mapAllUser and nfs.mapAllGroup leave the maps out only with the fork build; an upstream "
        "one takes "
        "empty for absent and maps everybody to root:wheel without a word");
  } else if (user == nullptr && group == nullptr) {
    traps.push_back(
        "without nfs.mapAllUser and nfs.mapAllGroup every user is mapped to root:wheel (all_squash)");
  }
}

void check_permissions(const Strings& parameters, Traps& traps) {
  const std::string *mode = find(parameters, "nfs.datasetPermissionsMode"),
                    *user = find(parameters, "nfs.datasetPermissionsUser"),
                    *group = find(parameters, "nfs.datasetPermissionsGroup");
  const bool has_mode = mode != nullptr && !mode->empty();
  if (has_mode &&
      (mode->size() != 4 || (*mode)[0] != '0' || mode->find_first_not_of("01234567") != std::string::npos)) {
    traps.push_back(
        fmt::format("nfs.datasetPermissionsMode is {}: the fork build refuses what is not four octal digits "
                    "with a leading 0",
                    quote(*mode)));
  }
  if (has_mode) {
    traps.push_back(
        "nfs.datasetPermissions* are known to the fork build only; an upstream one ignores them silently and "
        "leaves "
        "the root directory at 0755 of root");
  } else if ((user != nullptr && !user->empty()) || (group != nullptr && !group->empty())) {
    traps.push_back(
        "nfs.datasetPermissionsUser and nfs.datasetPermissionsGroup are not used without "
        "nfs.datasetPermissionsMode");
  }
  for (const auto& [key, value] : {std::pair{"User", user}, std::pair{"Group", group}}) {
    if (value == nullptr || value->empty() || is_number(*value)) continue;
    traps.push_back(fmt::format("nfs.datasetPermissions{} is {}: the fork build refuses what is not a number",
                                key, quote(*value)));
  }
}

void check_dataset_path(const Strings& parameters, Traps& traps) {
  const std::string* path = find(parameters, "datasetPath");
  if (path == nullptr || path->empty()) return;
  if (path->front() == '/' || path->back() == '/' || contains(*path, "..")) {
    traps.push_back(
        fmt::format("datasetPath {} is refused by the driver: relative, without \"..\" and without / at "
                    "its ends",
                    quote(*path)));
  }
}

void check_retention(const Strings& parameters, Traps& traps) {
  const std::string* retention = find(parameters, "snapshot.retention");
  if (retention == nullptr) return;
  const bool fits = is_number(*retention) && retention->size() <= 3 && std::stoi(*retention) >= 1 &&
                    std::stoi(*retention) <= 365;
  if (!fits)
    traps.push_back(fmt::format("snapshot.retention is {}: the driver takes 1 to 365", quote(*retention)));
}

void check_unknown(const Strings& parameters, Traps& traps) {
  for (const auto& [key, value] : parameters) {
    if (is_known_parameter(key)) continue;
    const auto near = nearest(key, known_parameters());
    traps.push_back(fmt::format("no build of the driver knows the parameter {}; it is ignored silently{}",
                                quote(key),
                                near ? fmt::format(" (is {} meant? Keys are case-sensitive)", *near) : ""));
  }
}

}  // namespace

Traps traps_of(const Strings& parameters) {
  Traps traps;
  check_protocol(parameters, traps);
  check_compression(parameters, traps);
  check_maps(parameters, traps);
  check_permissions(parameters, traps);
  check_dataset_path(parameters, traps);
  check_retention(parameters, traps);
  check_unknown(parameters, traps);
  return traps;
}

}  // namespace truenas::storage
