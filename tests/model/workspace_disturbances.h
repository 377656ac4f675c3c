#pragma once
// What may happen to a home's move that is under way: Pods come and go, somebody deletes or creates claims,
// sets policies back, gives Coder its rights back, starts builds; this process dies in the middle of a copy.

#include <vector>

#include "tests/model/workspace_builds.h"

namespace truenas::workflow {

inline void foreign_uses(HomeVariations& changes, const ModelledHome& home) {
  add(changes, home, "a Pod starts and writes", [](ModelledHome& h) {
    if (!h.world.uses.empty() || !write(h)) return false;
    h.world.uses = {user_pod()};
    h.world.attached = {"node1"};
    return true;
  });
  add(changes, home, "a Pod waits for the name", [](ModelledHome& h) {
    if (!h.world.uses.empty()) return false;
    h.world.uses = {user_pod(false)};
    return true;
  });
  add(changes, home, "a Pod started, wrote and left between two looks", [](ModelledHome& h) {
    h.world.stamp += "+";
    return write(h);
  });
  add(changes, home, "the process dies, and a Pod writes before the next one", [](ModelledHome& h) {
    h = restarted(h);
    return write(h);
  });
  add(changes, home, "the Pods leave", [](ModelledHome& h) {
    if (h.world.uses.empty()) return false;
    h.world.uses.clear();
    return true;
  });
}

inline void foreign_volumes(HomeVariations& changes, const ModelledHome& home) {
  for (const bool of_source : {true, false}) {
    const auto volume = [of_source](ModelledHome& h) -> VolumeState& {
      return of_source ? h.world.source : h.world.target;
    };
    const std::string name = of_source ? "the source" : "the target";
    add(changes, home, name + " is set back to Delete", [&](ModelledHome& h) {
      VolumeState& v = volume(h);
      if (!v.exists || v.policy == "Delete") return false;
      v.policy = "Delete";
      h.meddled = true;
      if (v.phase == "Released") v.exists = false;  // its driver destroys it at once
      return true;
    });
    add(changes, home, name + " is deleted", [&](ModelledHome& h) {
      VolumeState& v = volume(h);
      if (!v.exists) return false;
      if (v.phase == "Bound") {
        v.terminating = true;
      } else {
        v.exists = false;
        if (!of_source) h.world.target_noted = false;
      }
      return true;
    });
  }
}

inline ClaimState strange_claim(const std::string& volume) {
  ClaimState claim;
  claim.exists = true;
  claim.name = "home";
  claim.uid = "strange";
  claim.phase = volume.empty() ? "Pending" : "Bound";
  claim.volume = volume;
  return claim;
}

inline void foreign_claims(HomeVariations& changes, const ModelledHome& home) {
  add(changes, home, "somebody deletes the claim", [](ModelledHome& h) {
    return h.world.claim.exists && !std::exchange(h.world.claim.terminating, true);
  });
  add(changes, home, "somebody deletes the temporary claim", [](ModelledHome& h) {
    return h.world.temporary.exists && !std::exchange(h.world.temporary.terminating, true);
  });
  add(changes, home, "somebody edits the claim",
      [](ModelledHome& h) { return on_source(h.world) && !std::exchange(h.world.claim.changed, true); });
  for (const char* volume : {"", "another"}) {
    add(changes, home, std::string("a stranger creates the claim on '") + volume + "'", [&](ModelledHome& h) {
      if (h.world.claim.exists) return false;
      h.world.claim = strange_claim(volume);
      return true;
    });
  }
}

inline void foreign_builders(HomeVariations& changes, const ModelledHome& home) {
  add(changes, home, "Helm restores the Role", [](ModelledHome& h) {
    if (h.world.freeze.roles.empty() || h.world.freeze.roles[0].grants) return false;
    h.world.freeze.roles[0].grants = true;
    h.world.freeze.able = {"Coder may delete persistentvolumeclaims"};
    return true;
  });
  add(changes, home, "a ClusterRole gives Coder its rights", [](ModelledHome& h) {
    h.world.freeze.able = {"Coder may delete persistentvolumeclaims"};
    return !std::exchange(h.world.memory.freeze_overdue, true);
  });
  add(changes, home, "the class goes",
      [](ModelledHome& h) { return std::exchange(h.world.to.exists, false); });
}

// The run for another home of the namespace: adds itself to the freeze, deletes its claim and makes it again,
// dies, comes back, takes itself off.
inline void foreign_homes(HomeVariations& changes, const ModelledHome& home) {
  for (const bool bound : {true, false}) {
    add(changes, home, bound ? "another home's run freezes" : "another home froze and is absent",
        [bound](ModelledHome& h) {
          if (h.world.freeze.roles.empty() || other_owner(h) != nullptr) return false;
          ClaimRole& role = h.world.freeze.roles[0];
          role.frozen = true;
          role.grants = false;
          role.owners.push_back({k_other_home, true, bound});
          h.world.freeze.able.clear();
          return true;
        });
  }
  add(changes, home, "another home's claim goes or comes", [](ModelledHome& h) {
    FreezeOwner* other = other_owner(h);
    if (other == nullptr || !other->alive) return false;
    other->bound = !other->bound;
    return true;
  });
  add(changes, home, "another home's run dies or comes back", [](ModelledHome& h) {
    FreezeOwner* other = other_owner(h);
    if (other == nullptr) return false;
    other->alive = !other->alive;
    return true;
  });
  add(changes, home, "another home's run takes itself off", [](ModelledHome& h) {
    FreezeOwner* other = other_owner(h);
    if (other == nullptr || !other->alive || !other->bound) return false;
    ClaimRole& role = h.world.freeze.roles[0];
    std::erase_if(role.owners, [](const FreezeOwner& owner) { return owner.claim == k_other_home; });
    if (!role.owners.empty()) return true;
    role.frozen = false;
    role.grants = true;
    h.world.freeze.able = {"Coder may delete persistentvolumeclaims"};
    return true;
  });
  // What it must not do, and a run of before this version may: it gives the rights back under us.
  add(changes, home, "another home's run gives everything back", [](ModelledHome& h) {
    if (h.world.freeze.roles.empty() || !h.world.freeze.roles[0].frozen) return false;
    ClaimRole& role = h.world.freeze.roles[0];
    role.owners.clear();
    role.frozen = false;
    role.grants = true;
    h.world.freeze.able = {"Coder may delete persistentvolumeclaims"};
    return true;
  });
}

inline HomeVariations foreign_of_two(const ModelledHome& home) {
  HomeVariations changes;
  foreign_homes(changes, home);
  foreign_claims(changes, home);
  return changes;
}

inline HomeVariations foreign(const ModelledHome& home) {
  HomeVariations changes;
  foreign_uses(changes, home);
  foreign_volumes(changes, home);
  foreign_claims(changes, home);
  foreign_builders(changes, home);
  foreign_builds(changes, home);
  foreign_homes(changes, home);
  return changes;
}

// What only an adoption can meet.
inline HomeVariations foreign_of_adoption(const ModelledHome& home) {
  HomeVariations changes = foreign(home);
  add(changes, home, "somebody makes another volume on the dataset", [](ModelledHome& h) {
    if (!h.world.adoption.empty()) return false;
    h.world.adoption = {{"adopt-shared-dataset", storage::AdoptionSeverity::ask, "another"}};
    return true;
  });
  add(changes, home, "a webhook changes the adopted volume", [](ModelledHome& h) {
    if (!h.world.target.exists || on_target(h.world) || !h.world.target_unfit.empty()) return false;
    h.world.target_unfit = "read-only";
    return true;
  });
  return changes;
}

// Killed while the mover works: its Pod stays.
inline HomeVariations killed(const ModelledHome& home, const engine::Step& step) {
  HomeVariations parts;
  const bool adopts = step.verb == "probe-adoption" || step.verb == "prove-adoption";
  if (!adopts && !step.verb.starts_with("copy-") && step.verb != "compare" && step.verb != "check-target")
    return parts;
  if (step.verb == "probe-adoption") {
    ModelledHome trial = restarted(home);
    trial.world.probe_left = true;
    parts.push_back({"its trial stays", std::move(trial)});
  }
  ModelledHome left = restarted(home);
  left.world.movers = {{"mover", "mover", false}};
  parts.push_back({"its mover goes on", std::move(left)});
  return parts;
}

inline HomeVariations turns(const ModelledHome& home, const engine::Wait& wait,
                            const WorkspaceCopyOptions& options) {
  HomeVariations other;
  if (wait.id.starts_with("bound ") && home.world.claim.exists && home.world.claim.uid == "strange") {
    ModelledHome elsewhere = home;
    elsewhere.world.claim.phase = "Bound";
    elsewhere.world.claim.volume = "another";
    other.push_back({"the stranger's claim gets another volume", std::move(elsewhere)});
  }
  static_cast<void>(options);
  return other;
}

}  // namespace truenas::workflow
