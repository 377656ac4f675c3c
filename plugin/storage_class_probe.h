#pragma once
// `storageclass --probe`: consent, lock, probe, and what was found.

#include "lib/workflow/storage_class_review.h"
#include "plugin/connection.h"
#include "plugin/migration.h"

namespace truenas::plugin {

// --probe, --uid, --namespace and the mover's flags.
std::vector<Flag> probe_flags();
// The exit code; errors are those of consent, lock and server. `review` is of the class as it is.
Result<int> probe_class(const Arguments& arguments, const MigrationFlags& flags, Connection& connection,
                        const workflow::StorageClassReview& review);

}  // namespace truenas::plugin
