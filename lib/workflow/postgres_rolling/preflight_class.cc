#include <fmt/format.h>

#include "lib/cnpg/canary.h"
#include "lib/workflow/postgres_rolling/preflight.h"

namespace truenas::workflow {

std::vector<Finding> class_findings(const PostgresWorld& world) {
  if (!world.to.probed) return {};
  const ClassRecord& record = *world.to.probed;
  const cnpg::ClusterShape& shape = world.site.facts.shape;
  if (const auto why = record.why_not_owner(shape.uid)) {
    Finding finding{"class-owners", Finding::Severity::blocks,
                    fmt::format("storage class {} {} ({}): PostgreSQL refuses a data directory that is not "
                                "its own, uid {}",
                                world.to.name, *why, record.text(), shape.uid),
                    cnpg::hints_on_foreign_owners(world.to.name)};
    finding.remedy.emplace_back("if that has changed since: kubectl truenas-migrate storageclass --probe");
    return {finding};
  }
  if (record.squashes_root() && shape.has_fs_group) {
    return {
        {"class-fs-group",
         Finding::Severity::note,
         fmt::format("storage class {} squashes root ({}): no Pod with fsGroup can mount a data directory "
                     "of mode 0700 a second time; {}",
                     world.to.name, record.text(), cnpg::hint_without_fs_group(world.cluster)),
         {}}};
  }
  return {};
}

}  // namespace truenas::workflow
