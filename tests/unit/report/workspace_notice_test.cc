// What is sent to users: everybody who is left, nobody who is done, and nothing that a name could smuggle in.

#include "lib/report/workspace_notice.h"

#include <doctest/doctest.h>

#include "lib/base/text.h"

using namespace truenas;
using workflow::WorkspaceVerdict;

namespace {

workflow::WorkspaceRow row(const std::string& owner, const std::string& name, WorkspaceVerdict verdict) {
  workflow::WorkspaceRow row;
  row.claim.live.ns = "ws", row.claim.live.name = "coder-" + name, row.claim.live.request = "10Gi";
  row.claim.workspace.owner = owner, row.claim.workspace.name = name;
  row.verdict = verdict;
  return row;
}

}  // namespace

TEST_CASE("one paragraph for each owner who is left") {
  workflow::WorkspaceReview review;
  review.from_class = "truenas-nfs", review.to_class = "truenas-csi-nfs";
  review.rows = {row("bob", "b", WorkspaceVerdict::ready), row("alice", "one", WorkspaceVerdict::running),
                 row("alice", "two", WorkspaceVerdict::refused), row("carol", "c", WorkspaceVerdict::done),
                 row("", "", WorkspaceVerdict::ready)};
  review.rows[1].running = true;
  review.rows[2].why = "is being deleted";
  const std::string text = report::render_notices(review);
  CHECK(
      text.starts_with("To alice\n"
                       "  one: claim ws/coder-one, 10Gi, runs\n"
                       "  two: claim ws/coder-two, 10Gi, stopped; cannot be moved: is being deleted\n"));
  CHECK(contains(text, "coder stop alice/one"));
  CHECK(contains(text, "To bob\n"));
  CHECK(!contains(text, "carol"));
  CHECK(text.ends_with("Owner unknown\n  unknown workspace: claim ws/coder-, 10Gi, stopped\n"));
}

TEST_CASE("nobody is left, and a name that is none") {
  workflow::WorkspaceReview review;
  CHECK(report::render_notices(review).empty());
  review.rows = {row("al\nice", "x\x1b[2J", WorkspaceVerdict::ready)};
  const std::string text = report::render_notices(review);
  CHECK(!contains(text, "\x1b"));
  CHECK(!contains(text, "al\nice"));
}
