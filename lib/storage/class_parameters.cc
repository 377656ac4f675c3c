#include "lib/storage/class_parameters.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>

#include "lib/base/text.h"

namespace truenas::storage {
namespace {

const std::string* find(const Strings& parameters, std::string_view key) {
  const auto found = parameters.find(std::string(key));
  return found == parameters.end() ? nullptr : &found->second;
}

std::string value_or(const Strings& parameters, std::string_view key, std::string_view fallback) {
  const std::string* value = find(parameters, key);
  return value == nullptr ? std::string(fallback) : *value;
}

std::string value_unless_empty(const Strings& parameters, std::string_view key, std::string_view fallback) {
  const std::string value = value_or(parameters, key, "");
  return value.empty() ? std::string(fallback) : value;
}

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c); });
  return text;
}

using Effect = std::string (*)(const Strings& parameters);

std::string protocol_effect(const Strings& parameters) {
  const std::string value = lower(value_unless_empty(parameters, "protocol", "nfs"));
  if (value == "nfs") return "NFS shares";
  if (value == "iscsi") return "iSCSI extents, which only one node can use at a time";
  if (value == "nvmeof") return "NVMe-oF namespaces (builds from v1.3 on; older ones refuse it)";
  return fmt::format("nothing: the driver refuses protocol {}", quote(value));
}

std::string pool_effect(const Strings& parameters) {
  const std::string value = value_unless_empty(parameters, "pool", "");
  return value.empty() ? "datasets in the driver's default pool" : fmt::format("datasets in pool {}", value);
}

std::string dataset_path_effect(const Strings& parameters) {
  const std::string value = value_or(parameters, "datasetPath", "");
  if (value.empty()) return "datasets right below the pool";
  return fmt::format("datasets below {} in the pool (upstream and newer fork builds; others ignore the key)",
                     value);
}

std::string compression_effect(const Strings& parameters) {
  return "compression " + upper(value_unless_empty(parameters, "compression", "LZ4"));
}

std::string sync_effect(const Strings& parameters) {
  return "sync " + upper(value_unless_empty(parameters, "sync", "STANDARD"));
}

std::string export_effect(const Strings& parameters) {
  const std::string hosts = value_or(parameters, "nfs.hosts", ""),
                    networks = value_or(parameters, "nfs.networks", "");
  if (hosts.empty() && networks.empty()) return "shares exported to everybody";
  return fmt::format("shares exported to {}{}{} only", hosts,
                     hosts.empty() || networks.empty() ? "" : " and ", networks);
}

std::string mount_effect(const Strings& parameters) {
  return fmt::format("mount options {} (where the class has no mountOptions of its own)",
                     value_unless_empty(parameters, "nfs.mountOptions", "hard"));
}

std::string share_effect(const Strings& parameters) {
  return "shares with " + describe(promised_share(parameters));
}

std::string mode_effect(const Strings& parameters) {
  const std::string mode = value_or(parameters, "nfs.datasetPermissionsMode", "");
  if (mode.empty()) return "a root directory of mode 0755 that only root may write to";
  return fmt::format(
      "a root directory of mode {} (fork build only: an upstream one ignores the key and leaves 0755)", mode);
}

std::string owner_effect(const Strings& parameters) {
  const std::string user = value_or(parameters, "nfs.datasetPermissionsUser", ""),
                    group = value_or(parameters, "nfs.datasetPermissionsGroup", "");
  if (user.empty() && group.empty()) return "a root directory of root:root";
  if (value_or(parameters, "nfs.datasetPermissionsMode", "").empty()) {
    return "a root directory of root:root (without nfs.datasetPermissionsMode its user and group are not "
           "used)";
  }
  return fmt::format("a root directory of {}:{} (fork build only: an upstream one ignores the keys)",
                     user.empty() ? "0" : user, group.empty() ? "0" : group);
}

struct Known {
  std::string_view key;
  Effect effect;  // null: of no effect on NFS volumes
};

constexpr std::array k_known = {
    Known{"protocol", protocol_effect},
    Known{"pool", pool_effect},
    Known{"datasetPath", dataset_path_effect},
    Known{"compression", compression_effect},
    Known{"sync", sync_effect},
    Known{"nfs.hosts", export_effect},
    Known{"nfs.networks", export_effect},
    Known{"nfs.mountOptions", mount_effect},
    Known{"nfs.mapAllUser", share_effect},
    Known{"nfs.mapAllGroup", share_effect},
    Known{"nfs.rootSquash", share_effect},
    Known{"nfs.datasetPermissionsMode", mode_effect},
    Known{"nfs.datasetPermissionsUser", owner_effect},
    Known{"nfs.datasetPermissionsGroup", owner_effect},
    Known{"encryption", nullptr},
    Known{"volblocksize", nullptr},
    Known{"forceDelete", nullptr},
    Known{"deleteExtentsWithTarget", nullptr},
    Known{"sparse", nullptr},
};
constexpr std::array<std::string_view, 5> k_snapshot = {"schedule", "naming", "retention", "retentionUnit",
                                                        "recursive"};
constexpr std::array<std::string_view, 3> k_families_without_effect = {"encryption.", "iscsi.", "nvmeof."};

const Known* find_known(std::string_view key) {
  const auto found =
      std::find_if(k_known.begin(), k_known.end(), [&](const Known& known) { return known.key == key; });
  return found == k_known.end() ? nullptr : &*found;
}

bool is_snapshot_key(std::string_view key) {
  return key.starts_with("snapshot.") &&
         std::find(k_snapshot.begin(), k_snapshot.end(), key.substr(9)) != k_snapshot.end();
}

bool is_without_effect(std::string_view key) {
  const Known* known = find_known(key);
  if (known != nullptr) return known->effect == nullptr;
  return std::any_of(k_families_without_effect.begin(), k_families_without_effect.end(),
                     [&](std::string_view family) { return key.starts_with(family); });
}

std::string plain_value(const Strings& parameters, std::string_view key) {
  const std::string* value = find(parameters, key);
  if (value == nullptr) return "none";
  return quote(*value);
}

}  // namespace

bool is_known_parameter(std::string_view key) {
  return find_known(key) != nullptr || is_snapshot_key(key) || is_without_effect(key) ||
         (key.starts_with("zfs.") && key.size() > 4);
}

std::vector<std::string> known_parameters() {
  std::vector<std::string> keys;
  for (const Known& known : k_known) keys.emplace_back(known.key);
  for (const std::string_view key : k_snapshot) keys.push_back("snapshot." + std::string(key));
  return keys;
}

SharePromise promised_share(const Strings& parameters) {
  if (value_or(parameters, "nfs.rootSquash", "true") == "false") return {"no_root_squash", "no_root_squash"};
  const std::string user = value_or(parameters, "nfs.mapAllUser", "root");
  const std::string group = value_or(parameters, "nfs.mapAllGroup", "wheel");
  SharePromise share;
  // Upstream: empty is the same as absent. The fork: empty leaves the field out, and without any map the NAS
  // exports with the kernel's default.
  share.upstream =
      fmt::format("all_squash to {}:{}", user.empty() ? "root" : user, group.empty() ? "wheel" : group);
  if (user.empty() && group.empty()) {
    share.fork = "root_squash";
  } else if (user.empty()) {
    share.fork = "nothing: the NAS refuses a map group without a map user";
  } else {
    share.fork = fmt::format("all_squash to {}{}{}", user, group.empty() ? "" : ":", group);
  }
  return share;
}

std::string describe(const SharePromise& share) {
  if (share.same()) return share.fork;
  return fmt::format("{} from the fork build, {} from an upstream one", share.fork, share.upstream);
}

std::string consequence_of(std::string_view key, const Strings& live, const Strings& wanted) {
  if (is_without_effect(key)) return "no effect: the driver does not read it for NFS volumes";
  if (const Known* known = find_known(key)) {
    const std::string now = known->effect(live), then = known->effect(wanted);
    if (now == then) return fmt::format("no effect by itself: new volumes get {} either way", now);
    return fmt::format("new volumes get {}; as wanted they would get {}", now, then);
  }
  if (key.starts_with("zfs.")) {
    return fmt::format("new datasets get ZFS property {} = {}; as wanted {}", key.substr(4),
                       plain_value(live, key), plain_value(wanted, key));
  }
  if (is_snapshot_key(key)) {
    return fmt::format("the snapshot task of new datasets has {} {}; as wanted {}", key.substr(9),
                       plain_value(live, key), plain_value(wanted, key));
  }
  const auto near = nearest(std::string(key), known_parameters());
  return fmt::format("no effect: no build of the driver knows this key, and none rejects it{}",
                     near ? fmt::format(" (is {} meant?)", *near) : "");
}

}  // namespace truenas::storage
