// What is taken from a Role and given back.

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/number.h"
#include "lib/base/text.h"
#include "lib/kube/resource.h"
#include "lib/workflow/build_freeze.h"

namespace truenas::workflow {
namespace {

using json::Value;

Value rules_of(const ClaimRole& role) {
  const Value* rules = role.document.find("rules");
  return rules != nullptr && rules->is_array() ? *rules : Value::array();
}

bool is_in(const Value& list, const Value& item) {
  const auto& items = list.items();
  return std::find(items.begin(), items.end(), item) != items.end();
}

// Rights only add up: what `rules` have beside `known` is kept.
void add_others(Value& to, const Value& rules, const Value& known) {
  for (const Value& rule : rules.items()) {
    if (!is_in(to, rule) && !is_in(known, rule)) to.push_back(rule);
  }
}

Value patch_of(const ClaimRole& role, Value metadata) {
  metadata.set("uid", role.uid);
  metadata.set("resourceVersion", role.resource_version);
  return Value::object({{"metadata", std::move(metadata)}});
}

Value labels_of(Value frozen) {
  return Value::object({{std::string(k_frozen_label), std::move(frozen)}});
}

std::string write_owners(const std::vector<std::string>& claims) {
  Value list = Value::array();
  for (const std::string& claim : claims) list.push_back(claim);
  return json::write(list);
}

std::vector<std::string> owners_of(const ClaimRole& role) {
  std::vector<std::string> claims;
  for (const FreezeOwner& owner : role.owners) claims.push_back(owner.claim);
  return claims;
}

std::vector<std::string> asking(const ClaimRole& role) {
  std::vector<std::string> claims;
  for (const FreezeOwner& owner : role.owners) {
    if (owner.asks) claims.push_back(owner.claim);
  }
  return claims;
}

// The annotation's value: none where nobody asks.
Value asked_for(const std::vector<std::string>& claims) {
  return claims.empty() ? Value(nullptr) : Value(write_owners(claims));
}

// The Role as it was: nothing of a freeze is left on it.
Value thawed(const ClaimRole& role, Value rules) {
  Value annotations = Value::object({{std::string(k_frozen_rules_annotation), nullptr},
                                     {std::string(k_frozen_for_annotation), nullptr},
                                     {std::string(k_asked_for_annotation), nullptr}});
  Value patch = patch_of(
      role, Value::object({{"annotations", std::move(annotations)}, {"labels", labels_of(nullptr)}}));
  patch.set("rules", std::move(rules));
  return patch;
}

}  // namespace

std::optional<std::vector<std::string>> freeze_owners(const Value& role) {
  const std::string& text = kube::annotation_of(role, k_frozen_for_annotation);
  std::vector<std::string> claims;
  if (text.empty()) return claims;
  const auto list = json::parse(text, std::string(k_frozen_for_annotation));
  if (!list.ok() || !list->is_array()) return std::nullopt;
  for (const Value& claim : list->items()) {
    if (!contains(claim.text(), "/")) return std::nullopt;
    claims.push_back(claim.text());
  }
  return claims;
}

bool is_asked_for(const Value& role, const std::string& claim) {
  const std::string& text = kube::annotation_of(role, k_asked_for_annotation);
  if (text.empty()) return false;
  const auto list = json::parse(text, std::string(k_asked_for_annotation));
  return !list.ok() || !list->is_array() || is_in(*list, Value(claim));
}

Result<Value> rules_before(const ClaimRole& role, const std::optional<Value>& noted) {
  const Value rules = rules_of(role);
  if (!role.frozen) return rules;
  const std::string source =
      fmt::format("annotation {} of role {}/{}", k_frozen_rules_annotation, role.ns, role.name);
  auto carried = json::parse(kube::annotation_of(role.document, k_frozen_rules_annotation), source);
  Value before;
  if (carried.ok() && carried->is_array()) {
    before = *carried;
  } else if (noted && noted->is_array()) {
    before = *noted;
  } else if (role.grants) {
    return rules;
  } else {
    return make_error(Kind::refused,
                      fmt::format("{} cannot be read, and the journal does not know the rules", source),
                      {fmt::format("kubectl get role -n {} {} -o yaml", role.ns, role.name),
                       "an upgrade of Coder's Helm release writes the rules again"});
  }
  add_others(before, rules, without_claim_rights(before));
  return before;
}

std::optional<Value> noted_rules(const std::map<std::string, std::string>& facts, const std::string& uid) {
  std::optional<Value> oldest;
  int oldest_run = 0;
  for (const auto& [key, text] : facts) {
    const std::size_t dot = key.find(".role-");
    if (!key.starts_with("run-") || dot == std::string::npos) continue;
    const int run = leading_number(key.substr(4));
    const auto document = json::parse(text, "journal fact " + key);
    if (!document.ok() || document->text_at("/uid") != uid) continue;
    const Value* rules = document->find("rules");
    if (rules == nullptr || !rules->is_array() || (oldest && run > oldest_run)) continue;
    if (oldest && run == oldest_run) {
      add_others(*oldest, *rules, *oldest);
    } else {
      oldest = *rules;
      oldest_run = run;
    }
  }
  return oldest;
}

Result<Value> freeze_patch(const ClaimRole& role, const std::string& claim, const std::optional<Value>& noted,
                           bool asks) {
  if (role.damaged) {
    return make_error(Kind::refused, fmt::format("annotation {} of role {}/{} cannot be read",
                                                 k_frozen_for_annotation, role.ns, role.name));
  }
  TM_TRY_ASSIGN(const Value before, rules_before(role, noted));
  std::vector<std::string> claims = owners_of(role);
  if (std::find(claims.begin(), claims.end(), claim) == claims.end()) claims.push_back(claim);
  std::vector<std::string> asked = asking(role);
  if (asks && std::find(asked.begin(), asked.end(), claim) == asked.end()) asked.push_back(claim);
  Value annotations = Value::object({{std::string(k_frozen_rules_annotation), json::write(before)},
                                     {std::string(k_frozen_for_annotation), write_owners(claims)},
                                     {std::string(k_asked_for_annotation), asked_for(asked)}});
  Value patch = patch_of(role, Value::object({{"annotations", std::move(annotations)},
                                              {"labels", labels_of(k_frozen_label_value)}}));
  patch.set("rules", without_claim_rights(rules_of(role)));
  return patch;
}

Result<Value> thaw_patch(const ClaimRole& role, const std::vector<std::string>& claims,
                         const std::optional<Value>& noted) {
  const auto is_dropped = [&](const std::string& claim) {
    return std::find(claims.begin(), claims.end(), claim) != claims.end();
  };
  std::vector<std::string> left = owners_of(role), asked = asking(role);
  std::erase_if(left, is_dropped);
  std::erase_if(asked, is_dropped);
  if (left.empty()) {
    TM_TRY_ASSIGN(Value before, rules_before(role, noted));
    return thawed(role, std::move(before));
  }
  return patch_of(
      role, Value::object(
                {{"annotations", Value::object({{std::string(k_frozen_for_annotation), write_owners(left)},
                                                {std::string(k_asked_for_annotation), asked_for(asked)}})}}));
}

Result<Value> thaw_trial_patch(const ClaimRole& role) {
  if (role.frozen) return thaw_patch(role, owners_of(role));
  // Any update is judged by the whole Role's rules, unless only what garbage collection needs changes.
  return patch_of(role, Value::object({{"annotations", Value::object({{"truenas-migrate/trial", "thaw"}})}}));
}

std::string thaw_command(const ClaimRole& role) {
  Value patch;
  if (const auto before = rules_before(role); before.ok()) {
    patch = thawed(role, *before);
    patch.remove_at("/metadata/uid");
    patch.remove_at("/metadata/resourceVersion");
  }
  if (!patch.is_object()) return fmt::format("kubectl edit role -n {} {}", role.ns, role.name);
  std::string quoted;
  for (const char c : json::write(patch)) quoted += c == '\'' ? "'\\''" : std::string(1, c);
  return fmt::format("kubectl patch role -n {} {} --type=merge -p '{}'", role.ns, role.name, quoted);
}

}  // namespace truenas::workflow
