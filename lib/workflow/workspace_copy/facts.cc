#include "lib/workflow/workspace_copy/facts.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/number.h"
#include "lib/json/view.h"

namespace truenas::workflow {
namespace {

using json::Value;

Value volume_document(const RememberedVolume& volume) {
  return Value::object({{"name", volume.name},
                        {"uid", volume.uid},
                        {"policy", volume.policy},
                        {"storageClass", volume.storage_class},
                        {"claimUid", volume.claim_uid}});
}

Result<RememberedVolume> read_volume_document(const json::View& view) {
  RememberedVolume volume;
  TM_TRY_ASSIGN(volume.name, view.get_string("/name"));
  TM_TRY_ASSIGN(volume.uid, view.get_string("/uid"));
  TM_TRY_ASSIGN(volume.policy, view.get_string("/policy"));
  TM_TRY_ASSIGN(volume.storage_class, view.get_string("/storageClass"));
  TM_TRY_ASSIGN(volume.claim_uid, view.find_string("/claimUid"));
  return volume;
}

constexpr struct {
  Carry carry;
  std::string_view name;
} k_carries[] = {{Carry::copy, "copy"}, {Carry::nothing, "nothing"}, {Carry::adopt, "adopt"}};

Result<void> read_sight(SwapFacts& facts, const std::string& text, const std::string& source) {
  TM_TRY_ASSIGN(const Value document, json::parse(text, source));
  const json::View view(document, source);
  TM_TRY_ASSIGN(facts.sight.path, view.find_string("/path"));
  TM_TRY_ASSIGN(facts.sight.top, view.get_string("/top"));
  TM_TRY_ASSIGN(facts.sight.names, view.get_string("/names"));
  TM_TRY_ASSIGN(facts.sight.stamp, view.find_string("/stamp"));
  return {};
}

Result<EqualVolumes> read_equal(const std::string& text, const std::string& source) {
  TM_TRY_ASSIGN(const Value document, json::parse(text, source));
  const json::View view(document, source);
  EqualVolumes equal;
  TM_TRY_ASSIGN(equal.entries, view.get_integer("/entries"));
  TM_TRY_ASSIGN(equal.source_change, view.get_string("/sourceChange"));
  TM_TRY_ASSIGN(equal.target_change, view.get_string("/targetChange"));
  for (const Value& flag : document.items_at("/flags")) equal.flags.push_back(flag.text());
  return equal;
}

std::string source_of(const SwapFacts& facts, const std::string& name) {
  return fmt::format("journal fact run-{}.{}", facts.number, name);
}

Result<void> read_begin(SwapFacts& facts, const std::string& text) {
  const std::string source = source_of(facts, "begin");
  TM_TRY_ASSIGN(const Value document, json::parse(text, source));
  const json::View view(document, source);
  TM_TRY_ASSIGN(const std::string carry, view.get_string("/carry"));
  const auto known = std::find_if(std::begin(k_carries), std::end(k_carries),
                                  [&](const auto& one) { return one.name == carry; });
  if (known == std::end(k_carries)) {
    return make_error(Kind::refused, fmt::format("{}: carry {} is not of this version", source, carry));
  }
  facts.carry = known->carry;
  TM_TRY_ASSIGN(facts.rollback, view.find_boolean("/rollback"));
  TM_TRY_ASSIGN(facts.same_dataset, view.find_boolean("/sameDataset"));
  TM_TRY_ASSIGN(facts.newer, view.find_string("/newer"));
  TM_TRY_ASSIGN(facts.from_class, view.get_string("/fromClass"));
  TM_TRY_ASSIGN(facts.to_class, view.get_string("/toClass"));
  TM_TRY_ASSIGN(facts.claim_uid, view.get_string("/claimUid"));
  TM_TRY_ASSIGN(const json::View claim, view.get_object("/claim"));
  facts.claim = facts.first_claim = claim.value();
  TM_TRY_ASSIGN(const json::View volume, view.get_object("/source"));
  TM_TRY_ASSIGN(facts.source, read_volume_document(volume));
  if (document.find("target") != nullptr) {
    TM_TRY_ASSIGN(const json::View target, view.get_object("/target"));
    TM_TRY_ASSIGN(facts.target, read_volume_document(target));
    facts.targets = 1;
  }
  return {};
}

Result<void> read_workspace(SwapFacts& facts, const std::string& text, const std::string& source) {
  TM_TRY_ASSIGN(const Value document, json::parse(text, source));
  const json::View view(document, source);
  TM_TRY_ASSIGN(facts.ran, view.find_boolean("/ran"));
  TM_TRY_ASSIGN(facts.version_id, view.find_string("/versionId"));
  TM_TRY_ASSIGN(facts.autostart, view.find_string("/autostart"));
  TM_TRY_ASSIGN(facts.workspace_id, view.find_string("/workspaceId"));
  return {};
}

// The K of "target-K"; 0 for any other name.
int number_after(const std::string& name, const std::string& start) {
  return name.starts_with(start) ? leading_number(name.substr(start.size())) : 0;
}

}  // namespace

Result<void> apply_fact(SwapFacts& facts, const std::string& name, const std::string& value) {
  if (name == "begin") return read_begin(facts, value);
  if (const int number = number_after(name, "claim-"); number > facts.claims) {
    TM_TRY_ASSIGN(facts.claim, json::parse(value, source_of(facts, name)));
    facts.claims = number;
  } else if (const int target = number_after(name, "target-"); target > facts.targets) {
    TM_TRY_ASSIGN(const Value document, json::parse(value, source_of(facts, name)));
    TM_TRY_ASSIGN(facts.target, read_volume_document(json::View(document, source_of(facts, name))));
    facts.targets = target;
  } else if (const int compare = number_after(name, "compare-"); compare > facts.compares) {
    facts.compare = value;
    facts.compares = compare;
  } else if (const int workspace = number_after(name, "workspace-"); workspace > facts.workspaces) {
    TM_TRY(read_workspace(facts, value, source_of(facts, name)));
    facts.workspaces = workspace;
  } else if (const int equal = number_after(name, "equal-"); equal > facts.equals) {
    TM_TRY_ASSIGN(facts.equal, read_equal(value, source_of(facts, name)));
    facts.equals = equal;
  } else if (const int sight = number_after(name, "sight-"); sight > facts.sights) {
    TM_TRY(read_sight(facts, value, source_of(facts, name)));
    facts.sights = sight;
  } else if (const int left = number_after(name, "left-out-"); left > 0) {
    facts.left_out[left] = value;
  } else if (name.starts_with("role-")) {
    facts.roles.insert(fmt::format("run-{}.{}", facts.number, name));
  }
  facts.cutovers = std::max(facts.cutovers, number_after(name, "cutover-"));
  facts.cutovers_over = std::max(facts.cutovers_over, number_after(name, "cutover-over-"));
  facts.cutover = facts.cutovers > facts.cutovers_over;
  facts.moved = facts.moved || name == "moved";
  facts.proved = facts.proved || name == "proved";
  facts.ended = facts.ended || name == "end";
  facts.finalized = facts.finalized || name == "finalized";
  return {};
}

namespace {

// The run that says where the home is: the newest one, but not one that was given up before it had moved
// anything, if an earlier one did.
int telling_run(const std::map<std::string, std::string>& all, int newest) {
  const auto has = [&](int number, const char* name) {
    return all.contains(fmt::format("run-{}.{}", number, name));
  };
  if (!has(newest, "end")) return newest;
  for (int number = newest; number > 0; --number) {
    if (has(number, "moved")) return number;
  }
  return newest;
}

}  // namespace

Result<SwapFacts> read_swap_facts(const std::map<std::string, std::string>& all) {
  SwapFacts facts;
  for (const auto& [key, value] : all) {
    if (key.starts_with("run-") && key.ends_with(".begin")) {
      facts.newest = std::max(facts.newest, leading_number(key.substr(4)));
    }
  }
  if (facts.newest == 0) return facts;
  facts.number = telling_run(all, facts.newest);
  const std::string start = fmt::format("run-{}.", facts.number);
  TM_TRY(apply_fact(facts, "begin", all.at(start + "begin")));
  for (const auto& [key, value] : all) {
    if (key.starts_with(start) && key != start + "begin")
      TM_TRY(apply_fact(facts, key.substr(start.size()), value));
  }
  return facts;
}

std::string sight_value(const DatasetSight& sight) {
  return json::write(Value::object(
      {{"path", sight.path}, {"top", sight.top}, {"names", sight.names}, {"stamp", sight.stamp}}));
}

std::string equal_value(const EqualVolumes& equal) {
  Value flags = Value::array();
  for (const std::string& flag : equal.flags) flags.push_back(flag);
  return json::write(Value::object({{"flags", std::move(flags)},
                                    {"entries", equal.entries},
                                    {"sourceChange", equal.source_change},
                                    {"targetChange", equal.target_change}}));
}

std::string begin_value(const SwapFacts& facts) {
  std::string_view carry;
  for (const auto& one : k_carries) {
    if (one.carry == facts.carry) carry = one.name;
  }
  Value document = Value::object({{"carry", carry},
                                  {"rollback", facts.rollback},
                                  {"sameDataset", facts.same_dataset},
                                  {"fromClass", facts.from_class},
                                  {"toClass", facts.to_class},
                                  {"claimUid", facts.claim_uid},
                                  {"claim", facts.claim},
                                  {"source", volume_document(facts.source)}});
  if (!facts.newer.empty()) document.set("newer", facts.newer);
  if (facts.targets > 0) document.set("target", volume_document(facts.target));
  return json::write(document);
}

std::string workspace_value(const SwapWorld& world) {
  const SwapFacts& facts = world.facts;
  const CoderState coder = world.coder.value_or(CoderState());
  return json::write(
      Value::object({{"workspaceId", coder.workspace_id},
                     {"ran", facts.ran || !coder.stopped},
                     {"versionId", coder.stopped ? facts.version_id : coder.version_id},
                     {"autostart", coder.autostart.empty() ? facts.autostart : coder.autostart}}));
}

std::string volume_value(const RememberedVolume& volume) {
  return json::write(volume_document(volume));
}

RememberedVolume remember(const VolumeState& volume) {
  return {volume.name, volume.uid, volume.original_policy.empty() ? volume.policy : volume.original_policy,
          volume.storage_class, volume.claim_uid};
}

}  // namespace truenas::workflow
