#pragma once
// What may happen to a home's workspace in Coder while its home is moved: its user starts, updates and stops
// it, builds fail, Coder is away, the next run has no token.

#include <functional>
#include <vector>

#include "tests/model/workspace_worlds.h"

namespace truenas::workflow {

using HomeVariations = std::vector<model::Variation<ModelledHome>>;

inline void add(HomeVariations& changes, const ModelledHome& home, const std::string& label,
                const std::function<bool(ModelledHome&)>& change) {
  ModelledHome changed = home;
  if (!change(changed)) return;
  forget_what_was_disturbed(changed.world);
  changes.push_back({label, std::move(changed)});
}

inline bool start_by_user(ModelledHome& home, const std::string& version) {
  CoderState& coder = *home.world.coder;
  coder.building = coder.started = home.runs = true;
  coder.stopped = coder.agents_connected = false;
  coder.build_id = "the user's start of " + version;
  coder.version_id = home.version = version;
  return true;
}

inline void foreign_builds(HomeVariations& changes, const ModelledHome& home) {
  add(changes, home, "the user starts the workspace", [](ModelledHome& h) {
    if (!h.world.coder || h.world.coder->building) return false;
    return start_by_user(h, h.version);
  });
  add(changes, home, "the user updates the workspace", [](ModelledHome& h) {
    if (!h.world.coder || h.world.coder->building || h.version == "v2") return false;
    return start_by_user(h, "v2");
  });
  add(changes, home, "the user stops the workspace", [](ModelledHome& h) {
    if (!h.world.coder || h.world.coder->building || h.world.coder->stopped) return false;
    h.world.coder->started = h.world.coder->agents_connected = h.runs = false;
    h.world.coder->building = true;
    h.world.coder->build_id = "the user's stop";
    return true;
  });
  add(changes, home, "the user sets another schedule", [](ModelledHome& h) {
    if (!h.world.coder || h.schedule == "weekly") return false;
    h.world.coder->autostart = h.schedule = "weekly";
    return true;
  });
  add(changes, home, "Coder gives no answer", [](ModelledHome& h) {
    return h.world.coder && std::exchange(h.world.coder->unknown, "no answer").empty();
  });
  add(changes, home, "the next run has no token", [](ModelledHome& h) {
    if (!h.world.coder) return false;
    h = restarted(h);
    h.world.coder.reset();
    return true;
  });
  add(changes, home, "a build fails", [](ModelledHome& h) {
    if (!h.world.coder || !h.world.coder->trouble.empty()) return false;
    h.world.coder->building = h.world.coder->started = h.world.coder->stopped = false;
    h.world.coder->trouble = "the apply failed";
    h.runs = false;
    return true;
  });
  add(changes, home, "Coder forgets the workspace", [](ModelledHome& h) {
    h.runs = false;
    h.schedule.clear();
    return h.world.coder && std::exchange(h.world.coder->found, false);
  });
}

}  // namespace truenas::workflow
