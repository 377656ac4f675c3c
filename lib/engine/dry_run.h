#pragma once
// Server-side dry run: every step of a plan is put to the API server with dryRun=All, so that admission,
// quotas and permissions are tried before anything is changed. It must get a Writer whose permit says
// server_dry_run, and changes nothing.

#include <functional>
#include <string>
#include <vector>

#include "lib/engine/plan.h"
#include "lib/engine/run.h"
#include "lib/kube/writer.h"

namespace truenas::engine {

struct Trial {
  enum class Verdict {
    accepted,
    refused,    // the server would say no
    not_tried,  // what it acts on does not exist yet, or no server can try it (Step::can_be_tried)
  };
  Step step;
  Verdict verdict = Verdict::not_tried;
  std::string why;  // of refused and not_tried
};

// In the plan's order. Kind::bug for a Writer that would really write. Other errors: the server went away, or
// an interrupt.
Result<std::vector<Trial>> try_on_server(const Plan& plan, kube::Writer& writer,
                                         const std::function<Result<void>(const Step&, kube::Writer&)>& act);

template <class W>
Result<std::vector<Trial>> try_on_server(const Plan& plan, kube::Writer& writer, Workflow<W>& workflow) {
  return try_on_server(plan, writer,
                       [&](const Step& step, kube::Writer& trying) { return workflow.act(step, trying); });
}

// Ok when nothing was refused; else Kind::refused naming every step that was.
Result<void> judge_trials(const std::vector<Trial>& trials);

}  // namespace truenas::engine
