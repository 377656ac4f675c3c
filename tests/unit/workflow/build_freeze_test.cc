// What is taken from a Role and given back: exactly what was there, whoever else has changed it meanwhile.

#include "lib/workflow/build_freeze.h"

#include <doctest/doctest.h>

#include "lib/base/text.h"
#include "tests/unit/yaml.h"

using namespace truenas;
using namespace truenas::workflow;
using json::Value;

namespace {

constexpr const char* k_home = "coder-workspaces/home-1";
constexpr const char* k_other = "coder-workspaces/home-2";

const char* const k_rules =
    "[{apiGroups: [''], resources: [pods, persistentvolumeclaims], verbs: [create, delete, get, list]}]";

// The Role as it reads after `patch`.
ClaimRole patched(ClaimRole role, const Value& patch) {
  if (const Value* rules = patch.find("rules")) role.document.set("rules", *rules);
  const Value* annotations = patch.at("/metadata/annotations");
  for (const std::string_view key : {k_frozen_rules_annotation, k_frozen_for_annotation}) {
    const Value* value = annotations == nullptr ? nullptr : annotations->find(key);
    if (value == nullptr) continue;
    Value all = role.document.at("/metadata/annotations") != nullptr
                    ? *role.document.at("/metadata/annotations")
                    : Value::object({});
    if (value->is_null()) {
      all.remove(key);
    } else {
      all.set(std::string(key), *value);
    }
    role.document.set_at("/metadata/annotations", all);
  }
  role.grants = grants_claim_rights(*role.document.find("rules"));
  role.frozen = !kube::annotation_of(role.document, k_frozen_rules_annotation).empty();
  role.owners.clear();
  const auto owners = freeze_owners(role.document);
  role.damaged = !owners;
  for (const std::string& claim : owners.value_or(std::vector<std::string>())) {
    FreezeOwner owner;
    owner.claim = claim;
    role.owners.push_back(owner);
  }
  return role;
}

ClaimRole coder_role() {
  ClaimRole role;
  role.ns = "coder-workspaces", role.name = "coder-workspace-perms", role.uid = "u",
  role.resource_version = "7";
  role.document = yaml("{metadata: {name: coder-workspace-perms}}");
  role.document.set("rules", yaml(k_rules));
  role.grants = true;
  return role;
}

ClaimRole frozen_role() {
  return patched(coder_role(), *freeze_patch(coder_role(), k_home));
}

}  // namespace

TEST_CASE("the last claim of a freeze gives the rules back, no other does") {
  const ClaimRole one = frozen_role();
  CHECK_FALSE(one.grants);
  const ClaimRole two = patched(one, *freeze_patch(one, k_other));
  CHECK(two.owners.size() == 2);
  CHECK(*rules_before(two) == yaml(k_rules));
  const ClaimRole left = patched(two, *thaw_patch(two, {k_home}));
  CHECK_FALSE(left.grants);
  CHECK(left.frozen);
  REQUIRE(left.owners.size() == 1);
  CHECK(left.owners[0].claim == k_other);
  const ClaimRole thawed = patched(left, *thaw_patch(left, {k_other}));
  CHECK_FALSE(thawed.frozen);
  CHECK(*thawed.document.find("rules") == yaml(k_rules));
}

TEST_CASE("a right that somebody adds while it is frozen does not become all that there was before") {
  ClaimRole role = frozen_role();
  Value rules = *role.document.find("rules");
  const Value added = yaml("{apiGroups: [''], resources: [persistentvolumeclaims], verbs: [create]}");
  rules.push_back(added);
  role.document.set("rules", rules);
  role.grants = true;
  const ClaimRole again = patched(role, *freeze_patch(role, k_home));
  CHECK_FALSE(again.grants);
  const ClaimRole thawed = patched(again, *thaw_patch(again, {k_home}));
  Value wanted = yaml(k_rules);
  wanted.push_back(added);
  CHECK(*thawed.document.find("rules") == wanted);
}

TEST_CASE("Helm that writes the rules again under a freeze leaves nothing behind") {
  ClaimRole role = frozen_role();
  role.document.set("rules", yaml(k_rules));
  role.grants = true;
  const ClaimRole again = patched(role, *freeze_patch(role, k_home));
  CHECK(*patched(again, *thaw_patch(again, {k_home})).document.find("rules") == yaml(k_rules));
  CHECK(*patched(role, *thaw_patch(role, {k_home})).document.find("rules") == yaml(k_rules));
}

TEST_CASE("rules of before that cannot be read: the journal's oldest word, else a refusal") {
  ClaimRole role = frozen_role();
  role.document.set_at(
      "/metadata/annotations",
      Value::object({{std::string(k_frozen_rules_annotation), "[{\"apiGr"},
                     {std::string(k_frozen_for_annotation), "[\"coder-workspaces/home-1\"]"}}));
  const auto refused = thaw_patch(role, {k_home});
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().kind == Kind::refused);
  CHECK_FALSE(freeze_patch(role, k_other).ok());
  CHECK(contains(thaw_command(role), "kubectl edit role"));
  const auto fact = [](const char* uid, const Value& rules) {
    return json::write(Value::object({{"uid", uid}, {"rules", rules}}));
  };
  const auto noted = noted_rules({{"run-10.role-a", fact("u", yaml("[]"))},
                                  {"run-2.role-b", fact("u", yaml(k_rules))},
                                  {"run-1.role-c", fact("another", yaml("[]"))},
                                  {"run-1.role-d", "damaged"},
                                  {"run-1.begin", "{}"}},
                                 "u");
  REQUIRE(noted);
  CHECK(*noted == yaml(k_rules));
  CHECK(*thaw_patch(role, {k_home}, noted)->find("rules") == yaml(k_rules));
}

TEST_CASE("for whose sake a Role is frozen is never guessed") {
  const auto owners = [](const char* text) {
    Value role = yaml("{metadata: {name: r}}");
    role.set_at("/metadata/annotations", Value::object({{std::string(k_frozen_for_annotation), text}}));
    return freeze_owners(role);
  };
  CHECK(owners("")->empty());
  CHECK(owners("[\"a/b\"]")->size() == 1);
  for (const char* damaged : {"a/b", "{}", "[\"a/b\"", "[1]", "[\"\"]"}) {
    CAPTURE(damaged);
    CHECK_FALSE(owners(damaged));
  }
}

TEST_CASE("the command that gives it back without this tool is whole, and fit for a shell") {
  ClaimRole role = frozen_role();
  const std::string command = thaw_command(role);
  CHECK(
      command.starts_with("kubectl patch role -n coder-workspaces coder-workspace-perms --type=merge -p '{"));
  CHECK(contains(command, "\"persistentvolumeclaims\""));
  CHECK(contains(command, "\"delete\""));
  CHECK(contains(command, "\"truenas-migrate/frozen-for\":null"));
  CHECK_FALSE(contains(command, "resourceVersion"));
}

TEST_CASE("what the API server is asked before rights are taken needs all of them") {
  const auto plain = thaw_trial_patch(coder_role());
  REQUIRE(plain.ok());
  CHECK(plain->find("rules") == nullptr);
  CHECK(plain->at("/metadata/annotations") != nullptr);
  const auto frozen = thaw_trial_patch(frozen_role());
  REQUIRE(frozen.ok());
  CHECK(*frozen->find("rules") == yaml(k_rules));
}
