// When both volumes were equal, and what was written since: noted at the comparison for the last one
// (home_finalize/check.h), and told before the way back leaves it behind.

#include <fmt/format.h>

#include "lib/storage/mover_end.h"
#include "lib/workflow/workspace_copy/facts.h"
#include "lib/workflow/workspace_copy/state.h"

namespace truenas::workflow {
namespace {

using storage::MoverEnd;
using State = WorkspaceCopy::State;

Result<MoverEnd> scan_since(State& state, kube::Writer& writer,
                            const std::function<void(const std::string&)>& on_line) {
  const EqualVolumes& equal = *state.world->facts.equal;
  MoverRun run(state.tools.reader, writer, state.tools.program, state.tools.clock);
  run.on_line = on_line;
  run.on_look = [&state] { look_at_users(state); };
  MoverRequest request;
  request.ns = state.options.ns;
  request.run = fmt::format("{}-{}", state.tools.run, ++state.movers);
  request.arguments = {"scan", "--no-xattrs", "--since=" + equal.target_change};
  // What the move wrote as each file's owner is read so, too.
  for (const std::string& flag : equal.flags) {
    if (flag == "--owners=as-owner") request.arguments.emplace_back("--source-as-owner");
  }
  request.arguments.emplace_back("--expect-source-mount");
  request.arguments.emplace_back("/source");
  request.mounts = {{state.options.claim, "/source", true}};
  request.wishes = state.tools.wishes;
  return run.run(request);
}

}  // namespace

Result<void> note_equal(State& state, const std::vector<std::string>& flags, const MoverEnd& end) {
  EqualVolumes equal;
  equal.flags = flags;
  equal.entries = end.result.integer_at("/counts/entries");
  equal.source_change = end.result.text_at("/facts/newest_change_source");
  equal.target_change = end.result.text_at("/facts/newest_change_target");
  const SwapFacts& facts = state.world->facts;
  return state.tools.facts.write(fmt::format("run-{}.equal-{}", facts.number, facts.equals + 1),
                                 equal_value(equal));
}

Result<void> scan_newer(State& state, kube::Writer& writer,
                        const std::function<void(const std::string&)>& on_line) {
  const Result<MoverEnd> end = scan_since(state, writer, on_line);
  const bool stopped = end.ok() ? end->exit == 143 : end.error().kind == Kind::interrupted;
  if (stopped) return make_error(Kind::interrupted, "interrupted");
  std::string& newer = state.memory.newer;
  if (end.ok() && end->exit == 0) {
    newer = storage::newer_text(end->result);
  } else {
    newer =
        "what was written since the move could not be counted: " + (end.ok() ? end->text : end.error().what);
  }
  if (on_line) on_line(newer);
  return {};
}

}  // namespace truenas::workflow
