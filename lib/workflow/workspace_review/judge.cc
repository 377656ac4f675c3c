#include <fmt/format.h>

#include <algorithm>

#include "lib/base/text.h"
#include "lib/workflow/workspace_review/coder_checks.h"

namespace truenas::workflow {
namespace {

struct Judgement {
  WorkspaceVerdict verdict;
  std::string why;
};

Judgement refused(std::string why) {
  return {WorkspaceVerdict::refused, std::move(why)};
}

// What keeps the claim from being moved as it is, whoever uses it.
std::string obstacle(const Subject& subject) {
  const SiteClaim& claim = subject.row.claim;
  const coder::LiveClaim& live = claim.live;
  const WorkspaceSite& site = subject.site;
  const WorkspaceOptions& options = subject.options;
  if (claim.phase != "Bound") return fmt::format("is {}", claim.phase.empty() ? "not bound" : claim.phase);
  const SiteVolume* volume = subject.volume;
  if (volume == nullptr) return fmt::format("its persistentvolume {} does not exist", live.volume_name);
  if (volume->claim_ns != live.ns || volume->claim_name != live.name || volume->claim_uid != claim.uid) {
    return fmt::format("its persistentvolume {} belongs to another claim", volume->name);
  }
  if (volume->terminating) return fmt::format("its persistentvolume {} is being deleted", volume->name);
  if (live.volume_mode == "Block") return "is a block volume: an NFS class cannot take its place";
  if (claim.resizing) return "its size is being changed";
  if (!site.classes.contains(options.to_class)) {
    return fmt::format("storageclass {} does not exist", options.to_class);
  }
  const std::string& driver = subject.row.driver;
  if (live.storage_class == options.to_class) {
    return fmt::format("is on the new class, but its volume was made by driver {}",
                       driver.empty() ? "none" : driver);
  }
  if (!site.old_driver.empty() && driver != site.old_driver) {
    return fmt::format("is on the old class, but its volume was made by driver {}",
                       driver.empty() ? "none" : driver);
  }
  return "";
}

bool is_moved(const Subject& subject) {
  const SiteClaim& claim = subject.row.claim;
  return claim.live.storage_class == subject.options.to_class && !subject.row.driver.empty() &&
         subject.row.driver == subject.site.new_driver && claim.phase == "Bound" && !claim.live.terminating;
}

std::string text_of(const std::vector<const ClaimUse*>& uses) {
  std::vector<std::string> texts;
  for (const ClaimUse* use : uses) texts.push_back(use->text());
  return join(texts, ", ");
}

Judgement judge(const Subject& subject) {
  const WorkspaceRow& row = subject.row;
  if (coder::is_prebuild(row.claim.workspace))
    return {WorkspaceVerdict::skipped, "is a prebuild: nobody's home yet"};
  if (!concerns_migration(row.claim, row.driver, subject.site, subject.options)) {
    const std::string& storage_class = row.claim.live.storage_class;
    return {WorkspaceVerdict::skipped,
            storage_class.empty() ? "has no class" : fmt::format("is of class {}", storage_class)};
  }
  if (row.claim.live.terminating) return refused("is being deleted");
  if (is_moved(subject)) return {WorkspaceVerdict::done, ""};
  if (std::string why = obstacle(subject); !why.empty()) return refused(std::move(why));
  if (const auto users = parties(row.uses); users.size() > 1) {
    return refused("is used by " + join(users, " and "));
  }
  if (const auto live = live_uses(row.uses); !live.empty()) return {WorkspaceVerdict::running, text_of(live)};
  if (!subject.attachments.empty()) {
    return {WorkspaceVerdict::running,
            fmt::format("its volume is still attached to node {}", subject.attachments.front().node)};
  }
  if (row.at_coder && row.at_coder->building()) {
    return {WorkspaceVerdict::running,
            fmt::format("a {} build is {} in Coder", row.at_coder->latest_build.transition,
                        row.at_coder->latest_build.job_status)};
  }
  return {WorkspaceVerdict::ready, ""};
}

// By the text that the user has given, else by what Coder would build with.
void foresee_row(const WorkspaceSite& site, const WorkspaceOptions& options, WorkspaceRow& row) {
  const std::string &from = options.from_class, &to = options.to_class;
  if (!options.templates.empty() || !row.at_coder) {
    row.fate = foresee(row.claim, site, options.templates, from, to);
    if (options.templates.empty() && site.coder) row.fate.unknown = "Coder does not know its workspace";
    return;
  }
  row.fate = foresee_version(row.claim, site, row.at_coder->next_version_id(), from, to);
  if (row.at_coder->next_version_id() != row.at_coder->active_version_id)
    row.update = foresee_version(row.claim, site, row.at_coder->active_version_id, from, to);
}

}  // namespace

void add_finding(const Subject& subject, std::string id, Severity severity, std::string consequence,
                 std::string action, std::vector<WorkspaceFinding>& findings) {
  const coder::LiveClaim& live = subject.row.claim.live;
  findings.push_back(
      {std::move(id), severity, live.ns, live.name, "", std::move(consequence), std::move(action)});
}

std::vector<const ClaimUse*> live_uses(const std::vector<ClaimUse>& uses) {
  std::vector<const ClaimUse*> live;
  for (const ClaimUse& use : uses) {
    if (use.live()) live.push_back(&use);
  }
  return live;
}

// An ended Pod uses nothing any more; a workload without replicas will again.
std::vector<std::string> parties(const std::vector<ClaimUse>& uses) {
  std::vector<std::string> roots;
  for (const ClaimUse& use : uses) {
    if (use.kind == ClaimUse::Kind::pod && !use.live()) continue;
    if (std::find(roots.begin(), roots.end(), use.root) == roots.end()) roots.push_back(use.root);
  }
  return roots;
}

bool concerns_migration(const SiteClaim& claim, const std::string& driver, const WorkspaceSite& site,
                        const WorkspaceOptions& options) {
  return claim.live.storage_class == options.from_class || claim.live.storage_class == options.to_class ||
         (!driver.empty() && driver == site.old_driver);
}

std::size_t WorkspaceReview::count(WorkspaceVerdict verdict) const {
  return static_cast<std::size_t>(std::count_if(
      rows.begin(), rows.end(), [&](const WorkspaceRow& row) { return row.verdict == verdict; }));
}

std::size_t WorkspaceReview::count(Severity severity) const {
  return static_cast<std::size_t>(
      std::count_if(findings.begin(), findings.end(),
                    [&](const WorkspaceFinding& finding) { return finding.severity == severity; }));
}

std::size_t WorkspaceReview::left() const {
  return count(WorkspaceVerdict::ready) + count(WorkspaceVerdict::running) +
         count(WorkspaceVerdict::refused) + count(Severity::alarm);
}

WorkspaceReview judge_workspaces(const WorkspaceSite& site, const WorkspaceOptions& options) {
  static const std::vector<Attachment> none;
  WorkspaceReview review;
  review.from_class = options.from_class, review.to_class = options.to_class;
  review.old_driver = site.old_driver, review.new_driver = site.new_driver;
  review.namespaces = options.namespaces;
  review.rows.reserve(site.claims.size());
  for (const SiteClaim& claim : site.claims) {
    WorkspaceRow row;
    row.claim = claim;
    const auto volume = site.volumes.find(claim.live.volume_name);
    const bool has_volume = volume != site.volumes.end();
    if (has_volume) row.driver = volume->second.driver, row.reclaim_policy = volume->second.reclaim_policy;
    if (const auto uses = site.uses.find({claim.live.ns, claim.live.name}); uses != site.uses.end()) {
      row.uses = uses->second;
    }
    std::stable_sort(row.uses.begin(), row.uses.end(),
                     [](const ClaimUse& a, const ClaimUse& b) { return a.live() && !b.live(); });
    row.running = !live_uses(row.uses).empty();
    const auto attached = site.attachments.find(claim.live.volume_name);
    const Subject subject{row, has_volume ? &volume->second : nullptr,
                          attached == site.attachments.end() ? none : attached->second, site, options};
    if (const auto* known = site.coder ? workspace_of(claim, *site.coder) : nullptr) row.at_coder = *known;
    Judgement judgement = judge(subject);
    row.verdict = judgement.verdict, row.why = std::move(judgement.why);
    foresee_row(site, options, row);
    check_claim(subject, review.findings);
    check_fate(subject, review.findings);
    check_coder(subject, review.findings);
    review.rows.push_back(std::move(row));
  }
  check_site(site, options, review);
  std::stable_sort(
      review.findings.begin(), review.findings.end(),
      [](const WorkspaceFinding& a, const WorkspaceFinding& b) { return a.severity > b.severity; });
  return review;
}

}  // namespace truenas::workflow
