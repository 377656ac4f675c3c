#include "lib/workflow/moved_homes.h"

#include <fmt/format.h>

#include <map>
#include <set>
#include <utility>

#include "lib/base/number.h"
#include "lib/engine/journal.h"
#include "lib/storage/volume.h"
#include "lib/workflow/workspace_copy/facts.h"
#include "lib/workflow/workspace_copy/queries.h"

namespace truenas::workflow {
namespace {

using json::Value;
using Key = std::pair<std::string, std::string>;  // namespace and name

Result<std::set<Key>> read_claims(const kube::Reader& reader, const std::string& ns) {
  kube::ListOptions list;
  list.wanted = {"/metadata/name", "/metadata/namespace"};
  TM_TRY_ASSIGN(const std::vector<Value> objects, reader.list(kube::k_claim, ns, list));
  std::set<Key> claims;
  for (const Value& object : objects) {
    const kube::Identity identity = kube::identity_of(object);
    claims.emplace(identity.ns, identity.name);
  }
  return claims;
}

// The parts of each journal in their order; without the programs that other ConfigMaps hold.
Result<std::map<Key, std::map<int, Value>>> read_journals(const kube::Reader& reader, const std::string& ns) {
  kube::ListOptions list;
  list.label_selector = fmt::format("{}={}", storage::k_managed_by_label, storage::k_managed_by_value);
  list.wanted = {"/metadata", "/data"};
  TM_TRY_ASSIGN(std::vector<Value> objects, reader.list(kube::k_config_map, ns, list));
  std::map<Key, std::map<int, Value>> journals;
  const std::string start = engine::journal_name("workspace", "");
  for (Value& object : objects) {
    const std::string name = kube::label_of(object, "app.kubernetes.io/name");
    if (!name.starts_with(start)) continue;
    const Key key(kube::identity_of(object).ns, name);
    std::map<int, Value>& parts = journals[key];
    const int number = leading_number(object.text_at("/data/part"));
    parts.emplace(number, std::move(object));
  }
  return journals;
}

Result<std::optional<MovedHome>> read_home(const std::string& cluster_uid,
                                           const std::map<int, Value>& parts) {
  // It is whose its facts say it is.
  const std::string target = parts.begin()->second.text_at("/data/target");
  std::vector<Value> maps;
  for (const auto& [number, part] : parts) maps.push_back(part);
  TM_TRY_ASSIGN(const engine::Journal journal, engine::Journal::parse({cluster_uid, target, ""}, maps));
  SwapWorld world;
  TM_TRY_ASSIGN(world.facts, read_swap_facts(journal.facts()));
  MovedHome home;
  const kube::Identity claim = kube::identity_of(world.facts.first_claim);
  home.ns = claim.ns, home.claim = claim.name;
  home.open = is_open(world);
  home.back = world.facts.rollback && world.facts.moved;
  const bool ours = home.open || (world.facts.moved && !world.facts.finalized);
  return ours ? std::optional(home) : std::nullopt;
}

}  // namespace

Result<MovedHomes> find_moved_homes(const kube::Reader& reader, const std::string& cluster_uid,
                                    const std::vector<std::string>& namespaces) {
  MovedHomes moved;
  std::set<Key> seen;
  for (const std::string& ns : namespaces.empty() ? std::vector<std::string>{""} : namespaces) {
    TM_TRY_ASSIGN(const auto journals, read_journals(reader, ns));
    TM_TRY_ASSIGN(const std::set<Key> claims, read_claims(reader, ns));
    for (const auto& [key, parts] : journals) {
      auto home = read_home(cluster_uid, parts);
      if (!home.ok()) {
        moved.unread.push_back(home.error());
        moved.unread.back().what = fmt::format("journal {}/{}: {}", key.first, key.second, home.error().what);
        continue;
      }
      if (!*home || !seen.emplace((*home)->ns, (*home)->claim).second) continue;
      (*home)->there = claims.contains({(*home)->ns, (*home)->claim});
      moved.homes.push_back(std::move(**home));
    }
  }
  return moved;
}

}  // namespace truenas::workflow
