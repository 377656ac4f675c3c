#pragma once
// BuildFreeze: may Coder create or delete claims in a namespace just now? While a claim's name is absent
// nobody may build: a plan made in that moment creates an empty home (facts/coder.md §6: H). Here is what the
// cluster itself enforces, asked and proved, never believed: Coder's service accounts have lost these rights
// (SubjectAccessReview), or Coder does not run at all. The patches that take the rights and give them back
// are made here; it must not decide when.

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "lib/engine/lease.h"
#include "lib/json/value.h"
#include "lib/kube/reader.h"

namespace truenas::workflow {

// On a Role whose rights are taken: its rules as they were, and the claims for whose sake (a JSON array of
// "ns/claim"). Each run adds its own and takes it off again; with the last one the rules come back.
inline constexpr std::string_view k_frozen_rules_annotation = "truenas-migrate/rules-before-freeze";
inline constexpr std::string_view k_frozen_for_annotation = "truenas-migrate/frozen-for";
// … and those among them (a JSON array as well) whose runs ask Coder whether a build of before the exchange
// is left: nobody else can know that, also once such a run has ended.
inline constexpr std::string_view k_asked_for_annotation = "truenas-migrate/frozen-until-coder-says";
// … and what such a Role is found by, whoever it is bound to.
inline constexpr std::string_view k_frozen_label = "truenas-migrate/builds";
inline constexpr std::string_view k_frozen_label_value = "frozen";

// A claim for whose sake a Role is frozen.
struct FreezeOwner {
  std::string claim;  // "coder-workspaces/home-1"
  bool alive = true;  // its run holds its Lease, or it is too early to tell
  bool bound = false;
  bool asks = false;  // k_asked_for_annotation
  // Nobody comes back to take it off, nothing of it is absent, and no build that only Coder knows of is left.
  bool over() const { return !alive && bound && !asks; }
  bool operator==(const FreezeOwner&) const = default;
};

// A Role of the namespace that is bound to one of Coder's service accounts, or that is frozen.
struct ClaimRole {
  std::string ns, name, uid, resource_version;
  bool grants = false;  // its rules let somebody create or delete claims
  bool frozen = false;  // these rights were taken by a freeze that has not ended
  std::vector<FreezeOwner> owners;
  bool damaged = false;  // for whose sake cannot be read
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

// Tells whether other homes' runs are alive: by their Leases, watched by our own time. Not thread-safe.
class RunWatch {
 public:
  explicit RunWatch(Clock& clock) : clock_(&clock) {}
  // False: nobody holds the Lease, or it was not renewed for one whole duration since it was first looked at.
  Result<bool> is_alive(const kube::Reader& reader, const std::string& ns, const std::string& claim);

 private:
  Clock* clock_;
  std::map<std::string, engine::LeaseWatch> watches_;
};

// Who of Coder there is, and what they may do: the same for every claim of a namespace.
struct Builders {
  bool deployed = false, down = false;  // BuildFreeze's
  std::vector<std::string> able;
  std::vector<std::string> roles;  // of the namespace, that bindings give them
  std::string unknown;             // why the rest could not be found out
};
// Asks; for read_build_freeze() by way of FreezeSources.
Result<Builders> read_builders(const kube::Reader& reader, const std::string& coder_ns,
                               const std::string& ns);

// Where read_build_freeze() takes what many claims look at from; unset: from the reader.
struct FreezeSources {
  std::function<Result<Builders>()> builders;
  std::function<Result<std::vector<json::Value>>()> frozen;  // Roles with k_frozen_label
  std::function<Result<std::optional<json::Value>>(const std::string& name)> role;
  // The run for this claim ("ns/name") goes on in this very process: it is alive, and nobody needs to look.
  std::function<bool(const std::string& claim)> runs_here;
};
Result<std::vector<json::Value>> read_frozen_roles(const kube::Reader& reader, const std::string& ns);

// Deployments of Coder in `coder_ns` (app.kubernetes.io/name coder, coder-provisioner; no workspace proxies),
// their Pods, what their service accounts may do with claims in `ns`, and the Roles there that say so. Also
// counted: every service account that a RoleBinding of `ns` names and that is of `coder_ns` or has coder in
// its name. Frozen Roles are found without any of that. `claim` is the one in whose name is asked: its own
// entry in a freeze is not looked after. What the user may not read lands in `unknown`; other errors are
// errors.
Result<BuildFreeze> read_build_freeze(const kube::Reader& reader, const std::string& coder_ns,
                                      const std::string& ns, const std::string& claim, RunWatch& runs,
                                      const FreezeSources& sources = {});
// The claims of k_frozen_for_annotation; nullopt when it cannot be read.
std::optional<std::vector<std::string>> freeze_owners(const json::Value& role);
// Whether k_asked_for_annotation names the claim, or cannot be read.
bool is_asked_for(const json::Value& role, const std::string& claim);

// A frozen Role of which some claim's run is not alive: nobody may ever give its rights back.
struct LeftFreeze {
  std::string ns, name;
  std::string why;      // "its rights to claims are taken for a/b, whose run has ended"
  std::string command;  // thaw_command()
};
// Those of namespace `ns` ("": of all). One look: a Lease whose last renewal is, by this machine's clock,
// long past its duration counts as dead. For an alarm that is good enough; never to thaw by.
Result<std::vector<LeftFreeze>> find_left_freezes(const kube::Reader& reader, const std::string& ns,
                                                  Clock& clock);

// Rules without the right to create or delete claims; everything else stays. A rule for all resources loses
// these verbs for all of them. Pure.
json::Value without_claim_rights(const json::Value& rules);
// Whether rules let somebody create or delete claims. Pure.
bool grants_claim_rights(const json::Value& rules);

// The rules that the Role had before any freeze: of a frozen one those it carries, with what somebody has
// added since. `noted` is taken where they cannot be read. Kind::refused when neither is there.
Result<json::Value> rules_before(const ClaimRole& role, const std::optional<json::Value>& noted = {});
// What journals' facts "run-N.role-…" say of the Role with this uid: the oldest run's word.
std::optional<json::Value> noted_rules(const std::map<std::string, std::string>& facts,
                                       const std::string& uid);
// Merge patch, for exactly the object that was read: takes the rights, writes down the rules of before, and
// that it is for `claim` too, and whether its run `asks` Coder.
Result<json::Value> freeze_patch(const ClaimRole& role, const std::string& claim,
                                 const std::optional<json::Value>& noted = {}, bool asks = false);
// Merge patch: takes these claims off; with the last one the rules come back. Rules that somebody else has
// changed meanwhile stay beside them.
Result<json::Value> thaw_patch(const ClaimRole& role, const std::vector<std::string>& claims,
                               const std::optional<json::Value>& noted = {});
// Merge patch that is never meant to be kept: the API server takes it only from a user who may give the Role
// all its rules back (it refuses to let anybody grant what he has not got).
Result<json::Value> thaw_trial_patch(const ClaimRole& role);
// The command that gives everything back without this tool.
std::string thaw_command(const ClaimRole& role);

}  // namespace truenas::workflow
