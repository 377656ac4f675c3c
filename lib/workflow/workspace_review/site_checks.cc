// CK5, CK9 and CK10 where they are about the whole site; what nobody could check; remarks.

#include <fmt/format.h>

#include "lib/base/text.h"
#include "lib/workflow/workspace_review/coder_checks.h"

namespace truenas::workflow {
namespace {

void check_expansion(const WorkspaceSite& site, const WorkspaceOptions& options, WorkspaceReview& review) {
  const auto from = site.classes.find(options.from_class), to = site.classes.find(options.to_class);
  if (from == site.classes.end() || to == site.classes.end()) return;
  if (!from->second.expansion.value_or(false) || to->second.expansion.value_or(false)) return;
  review.findings.push_back({"CK5", Severity::warning, "", "", "storageclass " + options.to_class,
                             fmt::format("does not allow expansion, which {} does: a workspace whose size is "
                                         "raised later does not build (row G6)",
                                         options.from_class),
                             "kubectl truenas-migrate storageclass --apply"});
}

std::string where(const DeleteRight& right) {
  return right.ns.empty() ? "any namespace" : "namespace " + right.ns;
}

void check_delete_rights(const WorkspaceSite& site, WorkspaceReview& review) {
  if (!site.no_delete_rights.empty()) {
    review.unchecked.push_back(
        {"CK10", "whether Coder may delete claims is not known: " + site.no_delete_rights});
  }
  for (const DeleteRight& right : site.delete_rights) {
    const std::string account = fmt::format("{}/{}", right.account_ns, right.account);
    if (!right.allowed) {
      review.unchecked.push_back(
          {"CK10", fmt::format("whether serviceaccount {} may delete claims in {} is not known: {}", account,
                               where(right), right.unknown)});
    } else if (*right.allowed) {
      review.findings.push_back(
          {"CK10", Severity::note, "", "", "serviceaccount " + account,
           fmt::format("may delete claims in {}: a build that was planned before a move and applied after it "
                       "destroys the moved claim by name (row H7)",
                       where(right)),
           fmt::format("kubectl auth can-i delete persistentvolumeclaims{} --as=system:serviceaccount:{}:{}",
                       right.ns.empty() ? " -A" : " -n " + right.ns, right.account_ns, right.account)});
    }
  }
}

void note_classes(const WorkspaceSite& site, const WorkspaceOptions& options, WorkspaceReview& review) {
  if (!site.classes.contains(options.to_class)) {
    review.notes.push_back(fmt::format("storageclass {} does not exist: kubectl truenas-migrate storageclass",
                                       options.to_class));
  }
  std::vector<std::string> defaults;
  for (const auto& [name, storage_class] : site.classes) {
    if (storage_class.is_default) defaults.push_back(name);
  }
  if (defaults == std::vector<std::string>{options.to_class}) return;
  review.notes.push_back(fmt::format(
      "{}: a template that names no class makes new homes {}",
      defaults.empty() ? "no storage class is the default" : "default storage class: " + join(defaults, ", "),
      defaults.empty() ? "that stay Pending" : "there"));
}

}  // namespace

void check_site(const WorkspaceSite& site, const WorkspaceOptions& options, WorkspaceReview& review) {
  check_expansion(site, options, review);
  check_delete_rights(site, review);
  check_coder_site(site, options, review);
  if (options.templates.empty() && !site.coder) {
    review.unchecked.push_back(
        {"CC1", "what the next build does to each claim is in the template's text: --template-dir DIR"});
  }
  note_classes(site, options, review);
  if (!review.rows.empty()) return;
  const char* elsewhere = options.namespaces.empty() ? "" : " here: kubectl truenas-migrate workspaces -A";
  review.notes.push_back(fmt::format("no claim of a workspace was found{}", elsewhere));
}

}  // namespace truenas::workflow
