#pragma once
// What one WorkspaceCopy carries with it: its seams to the cluster and what it has seen. Private to this
// folder's observe.cc, act.cc and their parts.

#include <optional>
#include <string>

#include "lib/workflow/workspace_copy.h"

namespace truenas::workflow {

// When was looked. By both clocks: the steady one stands still while a laptop sleeps, the other may be set.
struct LookedAt {
  Milliseconds steady{0};
  std::chrono::microseconds wall{0};
};

// What the look before this one was, for those that may be left out.
struct LastLook {
  kube::Changes::Mark mark = 0;  // from before it
  Milliseconds at{0};
  std::vector<std::string> topics;  // what it was about
};

struct WorkspaceCopy::State {
  WorkspaceCopyTools tools;
  WorkspaceCopyOptions options;

  std::optional<SwapWorld> world;  // seen last
  SwapMemory memory;
  std::optional<LookedAt> looked;  // who uses the claim
  std::optional<LastLook> rest;    // the last look found only something to wait for, and that is watched
  std::optional<LastLook> users;   // … at who uses the claim
  std::string users_stamp;         // SwapWorld::stamp as far as Kubernetes tells it, at the last observe()
  bool disturbed = false;  // since the mover that runs now began, somebody used the claim, or may have
  RunWatch other_runs{tools.clock};
  std::optional<Milliseconds> frozen_since;  // rights were taken, and somebody still has them
  std::optional<std::vector<std::string>> missing_permissions;
  int movers = 0;                                                 // that were run, for their names
  std::optional<std::vector<storage::AdoptionFinding>> adoption;  // as of adoption_stamp
  std::string adoption_stamp;
  // Who mounted the home, as long as anybody did: once it is stopped there is nobody to ask about.
  std::vector<storage::AdoptionWorkload> adoption_workloads;
};

// Who uses the claim, which movers are left, where the source is attached.
Result<void> observe_users(WorkspaceCopy::State& state, SwapWorld& world);
// Nothing can have changed since the last look, which found that the cluster has to be waited for.
bool may_rest(const WorkspaceCopy::State& state);
// After a look that began at `begun`.
void note_rest(WorkspaceCopy::State& state, const SwapWorld& world, LastLook begun);
// Nobody can have used the claim since it was last looked, which is not long ago.
bool nobody_stirred(const WorkspaceCopy::State& state);
// The moment from which a look that begins now will know all.
LastLook begin_look(const WorkspaceCopy::State& state);
// Looked just now: whether it was so long since the last time that somebody may have come and gone unseen.
bool went_unwatched(WorkspaceCopy::State& state);
// While a mover runs: looks now and then, and remembers in `disturbed` whether the claim was left alone.
void look_at_users(WorkspaceCopy::State& state);
// What a killed run has left of a look at the volume of before.
Result<void> observe_probe_left(WorkspaceCopy::State& state, SwapWorld& world);
// What only an adoption looks at.
Result<void> observe_adoption(WorkspaceCopy::State& state, SwapWorld& world);
void add_target_attachment(const json::Value& attachment, SwapWorld& world);
// For whom the adopted volume of this name is made.
storage::AdoptionTarget adoption_target(const SwapWorld& world, const WorkspaceCopyOptions& options,
                                        const std::string& name, const std::string& driver);
// Whether the server would take what this run is going to create, as far as it can tell; changes nothing.
Result<void> try_replacement(WorkspaceCopy::State& state, kube::Writer& writer);
// Whether a Role's rights could be given back by whoever takes them; changes nothing.
Result<void> prove_thaw(const ClaimRole& role, kube::Writer& writer);
// Whether the server would take what an adoption's trial makes; changes nothing.
Result<void> try_adoption(WorkspaceCopy::State& state, kube::Writer& writer);
// The effects of an adoption.
Result<void> act_on_adoption(WorkspaceCopy::State& state, const engine::Step& step, kube::Writer& writer,
                             const std::function<void(const std::string&)>& on_line);
// The effects by movers.
Result<void> act_by_mover(WorkspaceCopy::State& state, const engine::Step& step, kube::Writer& writer,
                          const std::function<void(const std::string&)>& on_line);
// Writes down when both volumes were equal, and with which of the mover's flags, for a comparison once the
// home is in use again.
Result<void> note_equal(WorkspaceCopy::State& state, const std::vector<std::string>& flags,
                        const storage::MoverEnd& end);
// Before a way back: counts and names what was written since the move, into SwapMemory::newer. That it cannot
// be told keeps nobody from going back.
Result<void> scan_newer(WorkspaceCopy::State& state, kube::Writer& writer,
                        const std::function<void(const std::string&)>& on_line);
// The effects on claims, volumes and Roles.
Result<void> act_on_objects(WorkspaceCopy::State& state, const engine::Step& step, kube::Writer& writer);

}  // namespace truenas::workflow
