#include "lib/storage/dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "lib/base/text.h"
#include "lib/storage/volume.h"

namespace truenas::storage {
namespace {

using json::Value;

constexpr std::array k_block_sources = {
    "awsElasticBlockStore", "azureDisk",      "cinder", "fc",      "gcePersistentDisk", "iscsi",
    "photonPersistentDisk", "portworxVolume", "rbd",    "scaleIO", "storageos",         "vsphereVolume"};
constexpr std::array<std::string_view, 3> k_block_protocols = {"iscsi", "nvmeof", "zfs-local-zvol"};

bool is_block(const Value& volume) {
  const Value* spec = volume.at("/spec");
  if (spec == nullptr) return false;
  if (spec->text_at("/volumeMode") == "Block") return true;
  if (std::any_of(k_block_sources.begin(), k_block_sources.end(),
                  [&](const char* source) { return spec->find(source) != nullptr; })) {
    return true;
  }
  const auto is_one = [&](const char* pointer) {
    return std::find(k_block_protocols.begin(), k_block_protocols.end(), spec->text_at(pointer)) !=
           k_block_protocols.end();
  };
  return is_one("/csi/volumeAttributes/node_attach_driver") || is_one("/csi/volumeAttributes/protocol");
}

Dataset at(const std::string& server, const std::vector<std::string>& mount_paths) {
  Dataset dataset{Dataset::Kind::known, server, {}};
  for (const std::string& mount_path : mount_paths) {
    std::string path = dataset_path(mount_path);
    // One of two that cannot be read may be any dataset.
    if (path.empty()) return {};
    if (std::find(dataset.paths.begin(), dataset.paths.end(), path) == dataset.paths.end()) {
      dataset.paths.push_back(std::move(path));
    }
  }
  return dataset;
}

// csi-driver-nfs keeps several volumes in one share.
Dataset shared_directory(const Value& attributes) {
  const std::string &share = attributes.text_at("/share"), &directory = attributes.text_at("/subdir");
  if (contains(directory, "${")) return {};
  return at(attributes.text_at("/server"), {directory.empty() ? share : share + "/" + directory});
}

Dataset csi_dataset(const Value& csi) {
  static const Value k_nothing;
  const Value* found = csi.find("volumeAttributes");
  const Value& attributes = found == nullptr ? k_nothing : *found;
  if (!attributes.text_at("/share").empty()) return shared_directory(attributes);
  const std::string& handle = csi.text_at("/volumeHandle");
  const std::string& path = attributes.text_at("/nfsPath");
  // The handle alone says the dataset too: a second CreateVolume leaves out server and path
  // (facts/truenas.md §1.2). Of another driver it would say nothing.
  const bool truenas_csi = csi.text_at("/driver") == "csi.truenas.io" || !path.empty();
  if (!truenas_csi || !contains(handle, "/")) return {};
  std::vector<std::string> mount_paths = {handle};
  if (!path.empty()) mount_paths.push_back(path);
  return at(attributes.text_at("/nfsServer"), mount_paths);
}

bool is_below(std::string_view path, std::string_view parent) {
  return path.size() > parent.size() && path.starts_with(parent) &&
         (parent == "/" || path[parent.size()] == '/');
}

// How likely the other is hurt; the worst of several paths counts.
int weight(Overlap overlap) {
  constexpr std::array k_order = {Overlap::none,    Overlap::above, Overlap::unknown,
                                  Overlap::perhaps, Overlap::below, Overlap::same};
  return static_cast<int>(std::find(k_order.begin(), k_order.end(), overlap) - k_order.begin());
}

Overlap overlap_of_paths(const std::string& path, const std::string& other, bool same_server) {
  if (path == other) return same_server ? Overlap::same : Overlap::perhaps;
  if (is_below(other, path)) return Overlap::below;
  return is_below(path, other) ? Overlap::above : Overlap::none;
}

// "[FE80::01]." -> "fe80::1"
std::string plain_host(std::string_view host) {
  host = trim(host);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  while (!host.empty() && host.back() == '.') host.remove_suffix(1);
  std::string name = lower(host);
  if (!contains(name, ":")) return name;
  std::vector<std::string> groups = split(name, ':');
  for (std::string& group : groups) {
    const std::size_t zeros = std::min(group.find_first_not_of('0'), group.size());
    if (!group.empty()) group = zeros == group.size() ? "0" : group.substr(zeros);
  }
  return join(groups, ":");
}

}  // namespace

std::string dataset_path(std::string_view mount_path) {
  std::vector<std::string> parts;
  for (std::string& part : split(mount_path, '/')) {
    if (part == "." || part == "..") return "";
    if (!part.empty()) parts.push_back(std::move(part));
  }
  const bool absolute = mount_path.starts_with("/");
  if (parts.empty() || (absolute && parts.size() == 1 && parts[0] == "mnt")) return "";
  if (absolute && parts.size() > 1 && parts[0] == "mnt") {
    parts.erase(parts.begin());
    return join(parts, "/");
  }
  return absolute ? "/" + join(parts, "/") : join(parts, "/");
}

std::vector<std::string> dataset_fields() {
  std::vector<std::string> fields = {"/spec/volumeMode", "/spec/nfs", "/spec/csi/driver",
                                     "/spec/csi/volumeHandle"};
  for (const char* attribute :
       {"share", "server", "subdir", "nfsPath", "nfsServer", "node_attach_driver", "protocol"}) {
    fields.push_back(fmt::format("/spec/csi/volumeAttributes/{}", attribute));
  }
  for (const char* source : k_block_sources) fields.push_back(fmt::format("/spec/{}", source));
  return fields;
}

Dataset dataset_of(const Value& volume) {
  if (is_block(volume)) return {Dataset::Kind::none, "", {}};
  if (const Value* nfs = volume.at("/spec/nfs")) return at(nfs->text_at("/server"), {nfs->text_at("/path")});
  if (const Value* csi = volume.at("/spec/csi")) return csi_dataset(*csi);
  return {};
}

bool same_host(std::string_view a, std::string_view b) {
  const std::string left = plain_host(a);
  return !left.empty() && left == plain_host(b);
}

Overlap overlap_of(const Dataset& dataset, const Dataset& other) {
  if (dataset.kind == Dataset::Kind::none || other.kind == Dataset::Kind::none) return Overlap::none;
  if (dataset.kind == Dataset::Kind::unknown || other.kind == Dataset::Kind::unknown) {
    return Overlap::unknown;
  }
  const bool same_server = same_host(dataset.server, other.server);
  Overlap worst = Overlap::none;
  for (const std::string& path : dataset.paths) {
    for (const std::string& others : other.paths) {
      const Overlap overlap = overlap_of_paths(path, others, same_server);
      if (weight(overlap) > weight(worst)) worst = overlap;
    }
  }
  return worst;
}

std::string describe(const DatasetUser& user) {
  const std::string bound = user.claim.empty() ? user.phase : fmt::format("{}, {}", user.phase, user.claim);
  const auto say = [&](std::string_view what) {
    return fmt::format("persistentvolume {} ({}) {}", user.volume, bound, what);
  };
  switch (user.overlap) {
    case Overlap::none:
      return say("uses another dataset");
    case Overlap::same:
      return say("is on the same dataset");
    case Overlap::perhaps:
      return say("is on a dataset of the same path, on what may be the same server");
    case Overlap::below:
      return say("is on a dataset inside it");
    case Overlap::above:
      return say("is on a dataset that contains it");
    case Overlap::unknown:
      return say("does not say its dataset, which may be this one");
  }
  return "";
}

std::vector<DatasetUser> users_of_dataset(const Volume& volume,
                                          const std::map<std::string, Volume>& volumes) {
  std::vector<DatasetUser> users;
  for (const auto& [name, other] : volumes) {
    if (name == volume.name) continue;
    const Overlap overlap = overlap_of(volume.location, other.location);
    if (overlap == Overlap::none) continue;
    const bool claimed = !other.claim_name.empty();
    users.push_back(
        {name, other.phase, claimed ? other.claim_ns + "/" + other.claim_name : std::string(), overlap});
  }
  return users;
}

}  // namespace truenas::storage
