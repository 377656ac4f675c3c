#pragma once
// `storageclass --probe`: consent, lock, probe, what was found, and its record in the journals of the
// classes.

#include "lib/workflow/storage_class_review.h"
#include "plugin/connection.h"
#include "plugin/storage_class_options.h"

namespace truenas::plugin {

// --probe, --uid, --namespace and the mover's flags.
std::vector<Flag> probe_flags();
// The exit code; errors are those of consent, lock and server. `review` is of the class as it is.
Result<int> probe_class(const Arguments& arguments, const StorageClassFlags& flags, Connection& connection,
                        const workflow::StorageClassReview& review);

}  // namespace truenas::plugin
