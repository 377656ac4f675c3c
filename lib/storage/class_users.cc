#include "lib/storage/class_users.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace truenas::storage {
namespace {

Result<void> read_claims(const kube::Reader& reader, const std::string& storage_class,
                         std::vector<Claim>& claims) {
  kube::ListOptions list;
  list.wanted = claim_fields();
  kube::ItemSink sink;
  sink.item = [&](json::Value item) -> Result<void> {
    Claim claim = read_claim(item);
    if (claim.storage_class == storage_class) claims.push_back(std::move(claim));
    return {};
  };
  sink.restart = [&] { claims.clear(); };
  TM_TRY(reader.list(kube::k_claim, "", list, sink));
  std::sort(claims.begin(), claims.end(),
            [](const Claim& a, const Claim& b) { return std::tie(a.ns, a.name) < std::tie(b.ns, b.name); });
  return {};
}

Result<void> read_volumes(const kube::Reader& reader, const std::string& storage_class,
                          const std::string& old_class, ClassUsers& users) {
  kube::ListOptions list;
  list.wanted = volume_fields();
  kube::ItemSink sink;
  sink.item = [&](json::Value item) -> Result<void> {
    Volume volume = read_volume(item);
    if (volume.storage_class == storage_class) {
      users.volumes.push_back(std::move(volume));
    } else if (!old_class.empty() && volume.storage_class == old_class) {
      users.old_volumes.push_back(std::move(volume));
    }
    return {};
  };
  sink.restart = [&] {
    users.volumes.clear();
    users.old_volumes.clear();
  };
  TM_TRY(reader.list(kube::k_volume, "", list, sink));
  for (auto* volumes : {&users.volumes, &users.old_volumes}) {
    std::sort(volumes->begin(), volumes->end(),
              [](const Volume& a, const Volume& b) { return a.name < b.name; });
  }
  return {};
}

}  // namespace

Result<ClassUsers> read_class_users(const kube::Reader& reader, const std::string& storage_class,
                                    const std::string& old_class) {
  ClassUsers users;
  TM_TRY(read_claims(reader, storage_class, users.claims));
  TM_TRY(read_volumes(reader, storage_class, old_class, users));
  return users;
}

std::vector<std::string> describe_users(const ClassUsers& users) {
  std::vector<std::string> lines;
  for (const Claim& claim : users.claims) {
    lines.push_back(fmt::format("persistentvolumeclaim {}/{}", claim.ns, claim.name));
  }
  for (const Volume& volume : users.volumes) {
    const std::string claim = volume.claim_name.empty()
                                  ? "no claim"
                                  : fmt::format("claim {}/{}", volume.claim_ns, volume.claim_name);
    lines.push_back(fmt::format("persistentvolume {} ({}, {})", volume.name, claim, volume.phase));
  }
  return lines;
}

}  // namespace truenas::storage
