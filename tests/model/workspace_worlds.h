#pragma once
// Worlds for the model check of a home's move: what is decided upon, and beside it the truth that nobody
// sees: which version of the home's bytes each volume really has.

#include <fmt/format.h>

#include <string>

#include "lib/base/text.h"
#include "lib/workflow/workspace_copy.h"
#include "lib/workflow/workspace_copy/decide.h"
#include "lib/workflow/workspace_copy/invariant.h"
#include "lib/workflow/workspace_copy/queries.h"
#include "lib/workflow/workspace_copy/steps.h"
#include "tests/model/model_check.h"

namespace truenas::workflow {

struct ModelledHome {
  SwapWorld world;
  std::string source;                // name of the volume that `on_source` is about, for the way back
  int on_source = 1, on_target = 0;  // versions of the bytes
  int newest = 1;
  std::string robbed;  // whose freeze a step of ours has ended while it was needed
  // What the user has made of the workspace, whatever this tool does to it meanwhile.
  bool runs = false;
  std::string version = "v", schedule;
  std::string forgotten;  // in what the end was written down without it
  // Of an adoption: both volumes are objects for one dataset, which lives as long as neither goes with
  // Delete.
  bool one_dataset = false;
  bool meddled = false;  // somebody else has set a policy back
  std::string unsafe;    // what a step of ours has put at risk
};

inline constexpr const char* k_other_home = "coder-workspaces/other";

inline FreezeOwner* other_owner(ModelledHome& home) {
  for (ClaimRole& role : home.world.freeze.roles) {
    for (FreezeOwner& owner : role.owners) {
      if (owner.claim == k_other_home) return &owner;
    }
  }
  return nullptr;
}

inline WorkspaceCopyOptions home_options() {
  WorkspaceCopyOptions options;
  options.ns = "coder-workspaces";
  options.claim = "home";
  options.warm_passes = 2;
  return options;
}

inline json::Value home_document() {
  return *json::parse(R"({"apiVersion": "v1", "kind": "PersistentVolumeClaim",
    "metadata": {"name": "home", "namespace": "coder-workspaces", "uid": "first", "creationTimestamp": "t"},
    "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "truenas-nfs", "volumeName": "old",
             "resources": {"requests": {"storage": "10Gi"}}}, "status": {"phase": "Bound"}})",
                      "model");
}

inline ClaimRole coder_role() {
  ClaimRole role;
  role.ns = "coder-workspaces";
  role.name = "coder-workspace-perms";
  role.uid = "role";
  role.grants = true;
  role.document = *json::parse(
      R"({"rules": [{"apiGroups": [""], "resources": ["persistentvolumeclaims"], "verbs": ["*"]}]})",
      "model");
  return role;
}

// A stopped home on the old class; Coder runs, and a Role lets it delete claims.
inline ModelledHome stopped_home() {
  ModelledHome home;
  SwapWorld& world = home.world;
  world.claim.exists = true;
  world.claim.name = "home";
  world.claim.uid = "first";
  world.claim.phase = "Bound";
  world.claim.volume = "old";
  world.claim.storage_class = "truenas-nfs";
  world.claim.document = home_document();
  world.source.exists = world.source.reserved = true;
  world.source.name = world.source.uid = "old";
  world.source.policy = world.source.original_policy = "Delete";
  world.source.phase = "Bound";
  world.source.storage_class = "truenas-nfs";
  world.source.claim_ns = "coder-workspaces";
  world.source.claim_name = "home";
  world.source.claim_uid = "first";
  world.to.exists = true;
  world.to.name = "truenas-csi-nfs";
  world.freeze.deployed = true;
  world.freeze.able = {"Coder may delete persistentvolumeclaims"};
  world.freeze.roles = {coder_role()};
  home.source = "old";
  return home;
}

inline ClaimUse user_pod(bool with_node = true) {
  ClaimUse use;
  use.name = "user";
  use.phase = with_node ? "Running" : "Pending";
  use.node = with_node ? "node1" : "";
  return use;
}

inline ModelledHome running_home() {
  ModelledHome home = stopped_home();
  home.world.uses = {user_pod()};
  home.world.attached = {"node1"};
  home.world.coder.emplace();
  home.world.coder->workspace_id = "w";
  home.world.coder->build_id = "b";
  home.world.coder->version_id = "v";
  home.world.coder->started = true;
  home.world.coder->agents_connected = true;
  home.world.coder->autostart = home.schedule = "daily";
  home.runs = true;
  return home;
}

// With a token, stopped, and started by its schedule otherwise.
inline ModelledHome known_home() {
  ModelledHome home = running_home();
  home.world.uses.clear();
  home.world.attached.clear();
  home.world.coder->started = home.world.coder->agents_connected = home.runs = false;
  home.world.coder->stopped = true;
  return home;
}

// A new process.
inline ModelledHome restarted(ModelledHome home) {
  home.world.memory = {};
  return home;
}

// The version of the volume that the claim is on; nullptr when it is on none.
inline int* version_of(ModelledHome& home) {
  SwapWorld& world = home.world;
  if (!world.claim.exists || world.claim.phase != "Bound") return nullptr;
  if (is_bound(world.claim, world.source))
    return world.source.name == home.source ? &home.on_source : &home.on_target;
  if (is_bound(world.claim, world.target))
    return world.target.name == home.source ? &home.on_source : &home.on_target;
  return nullptr;
}

inline bool write(ModelledHome& home) {
  int* version = version_of(home);
  if (version == nullptr || home.world.claim.terminating) return false;
  *version = ++home.newest;
  if (home.one_dataset) home.on_source = home.on_target = home.newest;
  return true;
}

inline std::string describe(const ClaimState& claim) {
  if (!claim.exists) return "absent";
  return fmt::format("{} {} {}{}{}{}", claim.uid, claim.phase, claim.volume,
                     claim.terminating ? " going" : "", claim.ours ? " ours" : "",
                     claim.changed ? " changed" : "");
}

inline std::string describe(const VolumeState& volume) {
  if (!volume.exists) return "none " + volume.name;
  return fmt::format("{} {} {} {}/{}{}{} rec {} {}", volume.name, volume.policy, volume.phase,
                     volume.claim_name, volume.claim_uid, volume.kept ? " kept" : "",
                     volume.terminating ? " going" : "", volume.recorded_claim_uid, volume.recorded_from);
}

inline std::string describe(const ModelledHome& home) {
  const SwapWorld& w = home.world;
  const SwapFacts& f = w.facts;
  const SwapMemory& m = w.memory;
  std::string text = fmt::format("claim {}; temporary {}; source {}; target {}{}; ", describe(w.claim),
                                 describe(w.temporary), describe(w.source), describe(w.target),
                                 w.target_noted ? " noted" : "");
  text += fmt::format(
      "facts {} {} {} src {} tgt {} {} claims {} cut {} moved {} ended {} roles {} compared {}; ", f.number,
      f.carry == Carry::copy    ? "copy"
      : f.carry == Carry::adopt ? "adopt"
                                : "nothing",
      f.rollback, f.source.name, f.targets, f.target.name, f.claims, f.cutover, f.moved, f.ended,
      f.roles.size(), f.compares > 0);
  text +=
      fmt::format("memory used {} way {} unfit {} tried {} warm {} copied {} verified {} {} {} overdue {}; ",
                  m.used_bytes.has_value(), m.way, m.unfit, m.replacement_tried, m.warm_passes, m.copied,
                  m.verified, m.target_uid, m.stamp, m.freeze_overdue);
  text += fmt::format("uses {} attached {} movers {} stamp {} to {}; ", join(use_texts(w), ","),
                      join(w.attached, ","),
                      w.movers.empty()          ? ""
                      : w.movers[0].terminating ? "going"
                                                : "there",
                      w.stamp, w.to.exists);
  text += fmt::format("able {} role {} {} {}; ", w.freeze.able.size(), w.freeze.roles.empty() ? 0 : 1,
                      !w.freeze.roles.empty() && w.freeze.roles[0].grants,
                      !w.freeze.roles.empty() && w.freeze.roles[0].frozen);
  for (const ClaimRole& role : w.freeze.roles) {
    for (const FreezeOwner& owner : role.owners) {
      text += fmt::format("for {} {} {}; ", owner.claim, owner.alive, owner.bound);
    }
  }
  if (f.same_dataset || home.one_dataset) {
    text += fmt::format(
        "adopting sighted {} proved {} findings {} unfit {} probe {} at {}; one {} meddled {} {}; ",
        m.sighted, f.proved, w.adoption.size(), w.target_unfit, w.probe_left, w.target_attached.size(),
        home.one_dataset, home.meddled, home.unsafe);
  }
  if (!home.robbed.empty()) text += "robbed " + home.robbed + "; ";
  if (w.coder) {
    text += fmt::format("coder {} stopped {} building {} started {} agent {} {} of {} auto {} {}; ",
                        w.coder->found, w.coder->stopped, w.coder->building, w.coder->started,
                        w.coder->agents_connected, w.coder->trouble, w.coder->version_id, w.coder->autostart,
                        w.coder->unknown);
  }
  text += fmt::format("noted {} {} {} {}; user {} {} {}; ", f.workspaces > 0, f.ran, f.version_id,
                      f.autostart, home.runs, home.version, home.schedule);
  if (!home.forgotten.empty()) text += "forgotten " + home.forgotten + "; ";
  // Only which volume has the newest matters, not how often it was written.
  return text + fmt::format("bytes {} {}", home.on_source == home.newest, home.on_target == home.newest);
}

}  // namespace truenas::workflow
