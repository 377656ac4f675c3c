// CK1 to CK8, CK11 and CK12 (facts/coder.md 2.6, K1 …): what would endanger the data of one claim.

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/quantity.h"
#include "lib/base/text.h"
#include "lib/workflow/workspace_review/judge.h"

namespace truenas::workflow {
namespace {

using Findings = std::vector<WorkspaceFinding>;

std::string retain_command(const std::string& volume) {
  return fmt::format(
      "kubectl patch persistentvolume {} -p '{{\"spec\":{{\"persistentVolumeReclaimPolicy\":\"Retain\"}}}}'",
      volume);
}

std::string look_command(const Subject& subject) {
  const coder::LiveClaim& live = subject.row.claim.live;
  return fmt::format("kubectl get persistentvolumeclaim -n {} {} -o yaml", live.ns, live.name);
}

bool is_moving(const Subject& subject) {
  return subject.row.verdict != WorkspaceVerdict::done && subject.row.verdict != WorkspaceVerdict::skipped;
}

void check_terminating(const Subject& subject, Findings& findings) {
  const SiteVolume* volume = subject.volume;
  if (subject.row.claim.live.terminating) {
    const bool retained = volume != nullptr && volume->reclaim_policy == "Retain";
    const std::string goes = subject.row.running ? "it goes when the last Pod that mounts it ends"
                                                 : "it goes as soon as nothing holds it";
    add_finding(
        subject, "CK1", Severity::alarm,
        retained ? fmt::format("is being deleted, which cannot be undone: {}, and its data stays on "
                               "persistentvolume {} only",
                               goes, volume->name)
                 : fmt::format("is being deleted, which cannot be undone: {}, and its data with it", goes),
        volume == nullptr || retained ? look_command(subject) : retain_command(volume->name), findings);
  } else if (volume != nullptr && volume->terminating) {
    add_finding(subject, "CK1", Severity::alarm,
                fmt::format("its persistentvolume {} is being deleted: it goes as soon as the claim does",
                            volume->name),
                volume->reclaim_policy == "Retain" ? look_command(subject) : retain_command(volume->name),
                findings);
  }
}

void check_reclaim_policy(const Subject& subject, Findings& findings) {
  if (subject.volume == nullptr || subject.volume->reclaim_policy == "Retain" || !is_moving(subject)) return;
  add_finding(
      subject, "CK2", Severity::warning,
      fmt::format("reclaim policy {} of persistentvolume {}: whatever deletes the claim, a build too, "
                  "destroys the data",
                  subject.volume->reclaim_policy, subject.volume->name),
      retain_command(subject.volume->name), findings);
}

std::string stop_action(const coder::Workspace& workspace) {
  if (!workspace.owner.empty() && !workspace.name.empty()) {
    return fmt::format("coder stop {}/{}", workspace.owner, workspace.name);
  }
  return "stop the workspace in Coder (deleting its Pod is no stop: a Deployment makes it again)";
}

void check_use(const Subject& subject, Findings& findings) {
  if (!is_moving(subject)) return;
  const auto live = live_uses(subject.row.uses);
  if (!live.empty()) {
    std::vector<std::string> texts;
    for (const ClaimUse* use : live) texts.push_back(use->text());
    add_finding(subject, "CK3", Severity::note,
                fmt::format("is in use by {}: what is written there after a copy would be left behind",
                            join(texts, ", ")),
                stop_action(subject.row.claim.workspace), findings);
  } else if (!subject.attachments.empty()) {
    add_finding(
        subject, "CK3", Severity::note,
        fmt::format("no Pod uses it, but its volume is still attached to node {}: something may write yet",
                    subject.attachments.front().node),
        "kubectl get volumeattachments", findings);
  }
}

void check_size(const Subject& subject, Findings& findings) {
  const coder::LiveClaim& live = subject.row.claim.live;
  if (!is_moving(subject)) return;
  if (subject.row.claim.resizing) {
    add_finding(
        subject, "CK4", Severity::warning,
        "its size is being changed: a claim that asks for more than its template says is replaced by the "
        "next build (row G)",
        look_command(subject), findings);
    return;
  }
  const auto request = parse_quantity(live.request), capacity = parse_quantity(live.capacity);
  if (!request.ok() || !capacity.ok() || *request == *capacity) return;
  add_finding(
      subject, "CK4", *request > *capacity ? Severity::warning : Severity::note,
      fmt::format("asks for {} and has {}: what takes its place must ask for {} again, for a claim that asks "
                  "for more than its template says is replaced by the next build (row G)",
                  live.request, live.capacity, live.request),
      look_command(subject), findings);
}

void check_modes(const Subject& subject, Findings& findings) {
  const std::vector<std::string>& modes = subject.row.claim.live.access_modes;
  if (!is_moving(subject) || modes == std::vector<std::string>{"ReadWriteOnce"}) return;
  add_finding(
      subject, "CK5", Severity::warning,
      fmt::format("access modes are {}, and every template of Coder's own asks for ReadWriteOnce: where the "
                  "template's differ, the next build replaces the claim (row L)",
                  modes.empty() ? "none" : join(modes, ", ")),
      look_command(subject), findings);
}

// A volume of the old driver that says it was this claim's.
const SiteVolume* left_behind(const Subject& subject) {
  const coder::LiveClaim& live = subject.row.claim.live;
  for (const auto& [name, volume] : subject.site.volumes) {
    if (name != live.volume_name && volume.claim_ns == live.ns && volume.claim_name == live.name &&
        volume.driver == subject.site.old_driver) {
      return &volume;
    }
  }
  return nullptr;
}

void check_grown_by_move(const Subject& subject, Findings& findings) {
  if (subject.row.verdict != WorkspaceVerdict::done) return;
  const SiteVolume* old = left_behind(subject);
  const auto request = parse_quantity(subject.row.claim.live.request);
  if (old == nullptr || old->bytes == 0 || !request.ok() || *request <= old->bytes) return;
  add_finding(
      subject, "CK6", Severity::alarm,
      fmt::format("asks for {}, more than its old volume {} had ({}): where the template says the old size, "
                  "the next build replaces the claim (row G)",
                  subject.row.claim.live.request, old->name, format_bytes(old->bytes)),
      look_command(subject), findings);
}

void check_shared(const Subject& subject, Findings& findings) {
  if (subject.row.verdict == WorkspaceVerdict::skipped) return;
  const auto users = parties(subject.row.uses);
  if (users.size() > 1) {
    add_finding(
        subject, "CK7", Severity::warning,
        fmt::format("is used by {}: stopping one workspace does not stop the writing", join(users, " and ")),
        fmt::format("kubectl describe persistentvolumeclaim -n {} {}", subject.row.claim.live.ns,
                    subject.row.claim.live.name),
        findings);
    return;
  }
  const auto pods = std::count_if(subject.row.uses.begin(), subject.row.uses.end(), [](const ClaimUse& use) {
    return use.kind == ClaimUse::Kind::pod && use.live() && !use.terminating;
  });
  if (pods < 2) return;
  add_finding(subject, "CK7", Severity::warning,
              fmt::format("{} Pods of {} use it at the same time", pods, users.front()),
              fmt::format("kubectl describe persistentvolumeclaim -n {} {}", subject.row.claim.live.ns,
                          subject.row.claim.live.name),
              findings);
}

void check_labels(const Subject& subject, Findings& findings) {
  const SiteClaim& claim = subject.row.claim;
  if (subject.row.verdict == WorkspaceVerdict::skipped) return;
  if (claim.contradicts_itself) {
    add_finding(
        subject, "CK8", Severity::warning,
        "its name and its labels name different workspaces: whose home it is cannot be told from Kubernetes",
        look_command(subject), findings);
  } else if (!claim.workspace.labelled) {
    add_finding(
        subject, "CK8", Severity::note,
        fmt::format("has no com.coder.* labels: it is taken for {} by its {}",
                    claim.workspace.title().empty() ? "a workspace's" : claim.workspace.title() + "'s",
                    claim.found_by == coder::FoundBy::mount ? "Pod" : "name or older labels"),
        "coder list --all", findings);
  }
}

void check_prebuild(const Subject& subject, Findings& findings) {
  if (!coder::is_prebuild(subject.row.claim.workspace)) return;
  add_finding(
      subject, "CK11", Severity::note,
      "is a prebuild's and is skipped: Coder makes prebuilds again; where the template ignores changes, a "
      "home that somebody has claimed since still looks like this",
      "coder prebuilds pause", findings);
}

void check_other_names(const Subject& subject, Findings& findings) {
  const std::string& name = subject.row.claim.live.name;
  if (!is_moving(subject) || (name.starts_with("coder-") && name.ends_with("-home"))) return;
  add_finding(subject, "CK12", Severity::note,
              "is no coder-*-home: whoever looks for those only leaves it behind", look_command(subject),
              findings);
}

}  // namespace

void check_claim(const Subject& subject, Findings& findings) {
  // A prebuild, or a claim of another class, comes and goes as it likes.
  if (subject.row.verdict != WorkspaceVerdict::skipped) check_terminating(subject, findings);
  for (const auto check : {check_reclaim_policy, check_use, check_size, check_modes, check_grown_by_move,
                           check_shared, check_labels, check_prebuild, check_other_names}) {
    check(subject, findings);
  }
}

}  // namespace truenas::workflow
