// Which of a Role's rules let somebody create or delete claims, and what is left without those.

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

}  // namespace truenas::workflow
