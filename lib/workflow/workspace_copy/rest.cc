// Which looks may be left out. Only ones that would find what has to be waited for once more: a step, an end
// and a refusal are always decided on what was just read.

#include <algorithm>
#include <array>

#include "lib/base/text.h"
#include "lib/workflow/workspace_copy/queries.h"
#include "lib/workflow/workspace_copy/state.h"

namespace truenas::workflow {
namespace {

using kube::Changes;

// News may be on its way, or the connection dead and nobody knows: then a wait takes so much longer.
constexpr Milliseconds k_longest_rest{10000};
// Well below what counts as unwatched (observe_users.cc).
constexpr Milliseconds k_longest_unseen{15000};

// Waits whose end shows on a watched object (waits.cc).
constexpr std::array<std::string_view, 5> k_watched = {"bound ", "gone ", "movers gone", "users gone",
                                                       "detached "};

bool is_watched(const engine::Next& next) {
  const auto* wait = std::get_if<engine::Wait>(&next);
  return wait != nullptr && std::any_of(k_watched.begin(), k_watched.end(),
                                        [&](std::string_view start) { return wait->id.starts_with(start); });
}

std::vector<std::string> topics_of(const SwapWorld& world, const WorkspaceCopyOptions& options) {
  std::vector<std::string> topics = {Changes::topic(kube::k_claim, options.ns, options.claim)};
  if (!world.temporary.name.empty()) {
    topics.push_back(Changes::topic(kube::k_claim, options.ns, world.temporary.name));
  }
  for (const std::string* volume :
       {&world.source.name, &world.target.name, &world.claim.volume, &world.temporary.volume}) {
    if (!volume->empty()) topics.push_back(Changes::topic(kube::k_volume, "", *volume));
  }
  return topics;
}

bool is_quiet(const WorkspaceCopy::State& state, const std::optional<LastLook>& last, Milliseconds longest) {
  const Changes* changes = state.tools.view.changes();
  return changes != nullptr && last && state.tools.clock.steady() - last->at < longest &&
         changes->quiet_since(last->mark, state.options.ns, last->topics);
}

}  // namespace

LastLook begin_look(const WorkspaceCopy::State& state) {
  const Changes* changes = state.tools.view.changes();
  return {changes != nullptr ? changes->mark() : 0, state.tools.clock.steady(), {}};
}

bool may_rest(const WorkspaceCopy::State& state) {
  return state.world && is_quiet(state, state.rest, k_longest_rest);
}

void note_rest(WorkspaceCopy::State& state, const SwapWorld& world, LastLook begun) {
  state.rest.reset();
  if (state.tools.view.changes() == nullptr || !is_watched(next_of_swap(world, state.options))) return;
  begun.topics = topics_of(world, state.options);
  state.rest = std::move(begun);
}

bool nobody_stirred(const WorkspaceCopy::State& state) {
  return is_quiet(state, state.users, k_longest_unseen);
}

}  // namespace truenas::workflow
