// What is taken from a Role and given back.

#include <algorithm>
#include <array>

#include "lib/kube/resource.h"
#include "lib/workflow/build_freeze.h"

namespace truenas::workflow {
namespace {

using json::Value;

constexpr std::array<std::string_view, 3> k_taken = {"create", "delete", "deletecollection"};
constexpr std::array<std::string_view, 5> k_left_of_all = {"get", "list", "watch", "update", "patch"};

bool has(const Value& rule, std::string_view list, std::string_view word) {
  const auto& items = rule.items_at(list);
  return std::any_of(items.begin(), items.end(), [&](const Value& item) { return item.text() == word; });
}

bool is_about_claims(const Value& rule) {
  return (has(rule, "/apiGroups", "") || has(rule, "/apiGroups", "*")) &&
         (has(rule, "/resources", kube::k_claim.plural) || has(rule, "/resources", "*"));
}

bool is_taken(std::string_view verb) {
  return std::find(k_taken.begin(), k_taken.end(), verb) != k_taken.end();
}

bool gives(const Value& rule) {
  if (!is_about_claims(rule)) return false;
  const auto& verbs = rule.items_at("/verbs");
  return std::any_of(verbs.begin(), verbs.end(),
                     [](const Value& verb) { return verb.text() == "*" || is_taken(verb.text()); });
}

Value verbs_left(const Value& rule) {
  Value left = Value::array();
  if (has(rule, "/verbs", "*")) {
    for (const std::string_view verb : k_left_of_all) left.push_back(verb);
    return left;
  }
  for (const Value& verb : rule.items_at("/verbs")) {
    if (!is_taken(verb.text())) left.push_back(verb);
  }
  return left;
}

// The rule without claims; null when nothing is left of it. "*" cannot be split.
Value of_other_resources(const Value& rule) {
  if (has(rule, "/resources", "*")) return nullptr;
  Value resources = Value::array();
  for (const Value& resource : rule.items_at("/resources")) {
    if (resource.text() != kube::k_claim.plural) resources.push_back(resource);
  }
  if (resources.items().empty()) return nullptr;
  Value rest = rule;
  rest.set("resources", std::move(resources));
  return rest;
}

Value rules_of(const ClaimRole& role) {
  const Value* rules = role.document.find("rules");
  return rules != nullptr && rules->is_array() ? *rules : Value::array();
}

Value patch_of(const ClaimRole& role, Value annotations, Value rules) {
  return Value::object({{"metadata", Value::object({{"uid", role.uid},
                                                    {"resourceVersion", role.resource_version},
                                                    {"annotations", std::move(annotations)}})},
                        {"rules", std::move(rules)}});
}

}  // namespace

bool grants_claim_rights(const Value& rules) {
  return std::any_of(rules.items().begin(), rules.items().end(), gives);
}

Value without_claim_rights(const Value& rules) {
  Value left = Value::array();
  for (const Value& rule : rules.items()) {
    if (!gives(rule)) {
      left.push_back(rule);
      continue;
    }
    if (Value rest = of_other_resources(rule); !rest.is_null()) left.push_back(std::move(rest));
    Value verbs = verbs_left(rule);
    if (verbs.items().empty()) continue;
    Value claims = rule;
    if (!has(rule, "/resources", "*")) claims.set("resources", Value::array({kube::k_claim.plural}));
    claims.set("verbs", std::move(verbs));
    left.push_back(std::move(claims));
  }
  return left;
}

Value freeze_patch(const ClaimRole& role, std::string_view frozen_for) {
  const Value rules = rules_of(role);
  return patch_of(role,
                  Value::object({{std::string(k_frozen_rules_annotation), json::write(rules)},
                                 {std::string(k_frozen_for_annotation), frozen_for}}),
                  without_claim_rights(rules));
}

Result<Value> thaw_patch(const ClaimRole& role) {
  TM_TRY_ASSIGN(const Value before, json::parse(kube::annotation_of(role.document, k_frozen_rules_annotation),
                                                "annotation " + std::string(k_frozen_rules_annotation) +
                                                    " of role " + role.ns + "/" + role.name));
  Value rules = rules_of(role);
  if (rules == without_claim_rights(before)) {
    rules = before;
  } else {
    // Rights only add up: whoever changed the Role keeps what was written, and Coder gets back what it had.
    for (const Value& rule : before.items()) {
      const auto& there = rules.items();
      if (std::find(there.begin(), there.end(), rule) == there.end()) rules.push_back(rule);
    }
  }
  return patch_of(role,
                  Value::object({{std::string(k_frozen_rules_annotation), nullptr},
                                 {std::string(k_frozen_for_annotation), nullptr}}),
                  std::move(rules));
}

}  // namespace truenas::workflow
