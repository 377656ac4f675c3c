#include "lib/workflow/workspace_review/coder_checks.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/text.h"

namespace truenas::workflow {
namespace {

using Findings = std::vector<WorkspaceFinding>;

std::string title(const coder::ServerWorkspace& workspace) {
  return printable(workspace.owner + "/" + workspace.name);
}

std::string when(const std::string& time) {
  return time.empty() ? "" : " at " + printable(time);
}

// What begins a build by itself, and with which version.
void check_own_builds(const Subject& subject, const coder::ServerWorkspace& workspace, Findings& findings) {
  std::vector<std::string> reasons;
  if (!workspace.autostart_schedule.empty())
    reasons.push_back(fmt::format("starts by itself{} ({})", when(workspace.next_start_at),
                                  printable(workspace.autostart_schedule)));
  if (workspace.require_active_version) reasons.emplace_back("its template requires the active version");
  if (workspace.updates_always) reasons.emplace_back("updates itself to the active version with every start");
  if (reasons.empty()) return;
  add_finding(
      subject, "CC3", Severity::note, join(reasons, "; ") + ": a build may begin while it is being moved",
      workspace.autostart_schedule.empty() ? ""
                                           : fmt::format("coder schedule start {} manual", title(workspace)),
      findings);
}

void check_latest_build(const Subject& subject, const coder::ServerWorkspace& workspace, Findings& findings) {
  const coder::Build& build = workspace.latest_build;
  if (workspace.building()) {
    add_finding(
        subject, "CC4", Severity::warning,
        fmt::format("a {} build is {} in Coder: what it has planned it applies by name, also to a claim that "
                    "has been "
                    "moved meanwhile (row H7)",
                    printable(build.transition), printable(build.job_status)),
        "wait until it is over", findings);
  } else if (build.job_status != "succeeded") {
    add_finding(
        subject, "CC4", Severity::warning,
        fmt::format(
            "its latest build, a {}, {}{}: Pods and objects may be left that Coder does not show as running",
            printable(build.transition), printable(build.job_status),
            build.job_error.empty() ? "" : " (" + build.job_error + ")"),
        fmt::format("coder stop {}", title(workspace)), findings);
  } else if (workspace.stopped() && subject.row.running) {
    add_finding(subject, "CC4", Severity::warning,
                "Coder says that it is stopped, and something still uses its home",
                fmt::format("kubectl describe persistentvolumeclaim -n {} {}", subject.row.claim.live.ns,
                            subject.row.claim.live.name),
                findings);
  } else if (!workspace.stopped() && !subject.row.running) {
    add_finding(
        subject, "CC4", Severity::note,
        fmt::format("Coder says {}, and nothing uses its home: it may start something without a build",
                    printable(build.status)),
        fmt::format("coder stop {}", title(workspace)), findings);
  }
}

void check_dormancy(const Subject& subject, const coder::ServerWorkspace& workspace, Findings& findings) {
  if (!workspace.deleting_at.empty()) {
    add_finding(
        subject, "CC6", Severity::warning,
        fmt::format("is dormant and will be deleted by Coder{}, its home too", when(workspace.deleting_at)),
        fmt::format("coder start {} wakes it, if anybody still wants it", title(workspace)), findings);
  } else if (!workspace.dormant_at.empty()) {
    add_finding(subject, "CC6", Severity::note,
                fmt::format("is dormant since {}", printable(workspace.dormant_at)), "", findings);
  }
}

void check_state(const Subject& subject, const coder::ServerWorkspace& workspace, const CoderView& view,
                 Findings& findings) {
  const auto state = view.states.find(workspace.latest_build.id);
  if (state == view.states.end()) return;
  const std::string id = subject.row.claim.live.ns + "/" + subject.row.claim.live.name;
  std::vector<std::string> others;
  for (const coder::StateResource& resource : state->second) {
    if (!coder::is_claim_type(resource.type)) continue;
    if (resource.id == id) return;
    others.push_back(printable(resource.address + " = " + resource.id));
  }
  add_finding(
      subject, "CC7", Severity::warning,
      fmt::format(
          "its Terraform state does not hold this claim ({}): the next build tries to make it and fails with "
          "\"already exists\" (row H4)",
          others.empty() ? "it holds none" : "but " + join(others, ", ")),
      fmt::format("coder state pull {}", title(workspace)), findings);
}

// The outcome of an update is a click away, whatever the next build of its own accord would do.
void check_update(const Subject& subject, Findings& findings) {
  if (!subject.row.update) return;
  const ClaimFate& fate = *subject.row.update;
  const std::string version =
      fate.version.empty() ? "the active version" : "the active version " + printable(fate.version);
  if (!fate.unknown.empty()) {
    add_finding(subject, "CC2", Severity::warning,
                fmt::format("what an update to {} does is not known: {}", version, fate.unknown), "",
                findings);
    return;
  }
  const auto say = [&](const coder::Outcome& outcome, Severity severity, const std::string& moment) {
    if (outcome.fate == coder::Fate::doomed || coder::is_harmless(outcome.fate)) return;
    std::string consequence = outcome.consequence;
    if (!outcome.conditions.empty()) {
      consequence =
          fmt::format("{} if {}", coder::fate_name(outcome.if_so), join(outcome.conditions, " and "));
      severity = coder::is_harmless(outcome.if_so) ? Severity::note : Severity::warning;
    }
    add_finding(subject, "CC2",
                outcome.fate == coder::Fate::unknown ? std::min(severity, Severity::warning) : severity,
                fmt::format("{} to {}: {}{}", moment, version, consequence,
                            outcome.row.empty() ? "" : fmt::format(" (row {})", outcome.row)),
                outcome.advice, findings);
  };
  say(fate.now, Severity::alarm, "an update");
  const bool the_same = fate.now.fate == fate.after.fate && fate.now.row == fate.after.row;
  if (subject.row.verdict != WorkspaceVerdict::done && !the_same)
    say(fate.after, Severity::warning, "once it is moved, an update");
}

}  // namespace

void check_coder(const Subject& subject, Findings& findings) {
  if (!subject.site.coder || subject.row.verdict == WorkspaceVerdict::skipped) return;
  const CoderView& view = *subject.site.coder;
  const SiteClaim& claim = subject.row.claim;
  if (view.absent.contains(claim.workspace.id)) {
    add_finding(
        subject, "CK9", Severity::warning,
        fmt::format(
            "its workspace {} is not in Coder: nobody will start it again, and nobody deletes its home",
            claim.workspace.id),
        "look whether somebody still wants it", findings);
  }
  const auto& workspace = subject.row.at_coder;
  if (!workspace) return;
  check_update(subject, findings);
  check_dormancy(subject, *workspace, findings);
  check_state(subject, *workspace, view, findings);
  if (subject.row.verdict == WorkspaceVerdict::done) return;
  check_own_builds(subject, *workspace, findings);
  check_latest_build(subject, *workspace, findings);
}

}  // namespace truenas::workflow
