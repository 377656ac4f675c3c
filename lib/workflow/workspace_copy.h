#pragma once
// WorkspaceCopy: moves one workspace's home onto a volume of another storage class under its own name: copied
// and compared by the mover, then the volume behind the claim is exchanged; or back to the volume of before.
// What it decides is in workspace_copy/decide.h, its promises in workspace_copy/invariant.h; this class joins
// them to a cluster, a journal and, with a token, Coder. It must not decide anything itself.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lib/engine/workflow.h"
#include "lib/kube/permission.h"
#include "lib/kube/reader.h"
#include "lib/workflow/fact_book.h"
#include "lib/workflow/mover_run.h"
#include "lib/workflow/workspace_copy/view.h"
#include "lib/workflow/workspace_copy/world.h"

namespace truenas::workflow {

// The workspace of a claim as Coder has it. Errors as lib/coder/server.h's.
class WorkspaceControl {
 public:
  virtual ~WorkspaceControl() = default;
  virtual Result<CoderState> look() = 0;
  // A build of "stop" or "start" with exactly this version. Kind::conflict when another build is active.
  virtual Result<void> build(const std::string& transition, const std::string& version_id,
                             const kube::Permit& permit) = 0;
  // "": none. Sets what it is told, so that a second call does no harm.
  virtual Result<void> set_autostart(const std::string& schedule, const kube::Permit& permit) = 0;
};

struct WorkspaceCopyTools {
  const kube::Reader& reader;
  HomeView& view;  // what is looked at again and again
  FactBook facts;
  MoverProgram program;
  storage::MoverWishes wishes;
  std::string run;                    // names this run's mover Pods: at most 10 of [a-z0-9-]
  WorkspaceControl* coder = nullptr;  // without a token: nobody is ever stopped
  Clock& clock;
  Milliseconds look_every{1000};  // how far a mover is
  unsigned mover_workers = 0;     // of one mover, at most; 0: as many as it likes
};

class WorkspaceCopy final : public engine::Workflow<SwapWorld> {
 public:
  // What the tools point to must outlive it.
  WorkspaceCopy(WorkspaceCopyTools tools, WorkspaceCopyOptions options);
  ~WorkspaceCopy() override;

  Result<SwapWorld> observe() override;
  engine::Next next(const SwapWorld& world) const override;
  SwapWorld project(SwapWorld world, const engine::Next& next) const override;
  // One effect. Kind::refused when the guard says no in the world observed last.
  Result<void> act(const engine::Step& step, kube::Writer& writer) override;
  std::vector<engine::Violation> check(const SwapWorld& world) const override;
  std::string progress(const SwapWorld& world) const override;
  // After a run that did not come to its end: looks once more, gives Coder its rights back where nothing
  // speaks against it, and says which stay taken, and why (lines for people; empty: none).
  std::vector<std::string> settle_freeze(kube::Writer& writer);
  // Then: looks once more, and says that the workspace is left stopped or without its schedule (empty: not).
  std::vector<std::string> held_warnings();

  const WorkspaceCopyOptions& options() const;
  // What the user is shown of the workspace, before the consent that a run rests on.
  void foresee(ForeseenWorkspace foreseen);
  // One line for people while a mover works.
  std::function<void(const std::string& line)> on_line;

  struct State;  // workspace_copy/state.h

 private:
  std::unique_ptr<State> state_;
};

// The pure half, for tests and the plan alone.
engine::Next next_of_swap(const SwapWorld& world, const WorkspaceCopyOptions& options);
SwapWorld project_swap(SwapWorld world, const WorkspaceCopyOptions& options, const engine::Next& next);
std::string progress_of_swap(const SwapWorld& world, const WorkspaceCopyOptions& options);

// What the move needs to read and write; with `coder_ns`, where Coder runs, also what the freeze of its
// builds needs.
std::vector<kube::Permission> workspace_copy_permissions(const std::string& ns,
                                                         const std::string& coder_ns = "");
// What an adoption needs beside.
std::vector<kube::Permission> workspace_adopt_permissions(const std::string& ns);
// A line for people for each Role whose rights are taken: for whose sake, and how they come back.
std::vector<std::string> freeze_warnings(const SwapWorld& world, const WorkspaceCopyOptions& options);

}  // namespace truenas::workflow
