#pragma once
// BuildFreeze: may Coder create or delete claims in a namespace just now? While a claim's name is absent
// nobody may build: a plan made in that moment creates an empty home (facts/coder.md §6: H). Here is what the
// cluster itself enforces, asked and proved, never believed: Coder's service accounts have lost these rights
// (SubjectAccessReview), or Coder does not run at all. The patches that take the rights and give them back
// are made here; it must not decide when.

#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lib/json/value.h"
#include "lib/kube/reader.h"

namespace truenas::workflow {

// On a Role whose rights are taken: its rules as they were, and the claim for whose sake.
inline constexpr std::string_view k_frozen_rules_annotation = "truenas-migrate/rules-before-freeze";
inline constexpr std::string_view k_frozen_for_annotation = "truenas-migrate/frozen-for";

// A Role of the namespace that is bound to one of Coder's service accounts.
struct ClaimRole {
  std::string ns, name, uid, resource_version;
  bool grants = false;        // its rules let somebody create or delete claims
  bool frozen = false;        // these rights are taken: it carries the rules of before
  std::string frozen_for;     // "coder-workspaces/home-1"
  bool needed_there = false;  // frozen for another claim, whose name is absent just now
  json::Value document;
};

struct BuildFreeze {
  bool deployed = false;          // Deployments of Coder were found
  bool down = false;              // … none of which has a replica or a Pod
  std::vector<std::string> able;  // "system:serviceaccount:coder:coder may delete persistentvolumeclaims"
  std::vector<ClaimRole> roles;
  std::string unknown;  // why it could not be found out; "" when it could

  // Nobody of Coder can build a claim: proved.
  bool holds() const { return unknown.empty() && deployed && (down || able.empty()); }
};

// Deployments of Coder in `coder_ns` (app.kubernetes.io/name coder, coder-provisioner; no workspace proxies),
// their Pods, what their service accounts may do with claims in `ns`, and the Roles there that say so.
// `claim` is the one in whose name is asked: freezes for it are not needed elsewhere. What the user may not
// read lands in `unknown`; other errors are errors.
Result<BuildFreeze> read_build_freeze(const kube::Reader& reader, const std::string& coder_ns,
                                      const std::string& ns, const std::string& claim);

// Rules without the right to create or delete claims; everything else stays. A rule for all resources loses
// these verbs for all of them. Pure.
json::Value without_claim_rights(const json::Value& rules);
// Whether rules let somebody create or delete claims. Pure.
bool grants_claim_rights(const json::Value& rules);
// Merge patch, for exactly the object that was read: takes the rights and writes down the rules of before.
json::Value freeze_patch(const ClaimRole& role, std::string_view frozen_for);
// Merge patch: gives them back. Rules that somebody else has changed meanwhile stay beside them.
Result<json::Value> thaw_patch(const ClaimRole& role);

}  // namespace truenas::workflow
