#pragma once
// `storageclass --probe`: consent, lock, probe, what was found, and its record in the journals of the
// classes.

#include "lib/workflow/storage_class_review.h"
#include "plugin/connection.h"
#include "plugin/storage_class_options.h"

namespace truenas::plugin {

// --probe, --uid, --namespace and the mover's flags.
std::vector<Flag> probe_flags();
// What they ask for; where and on which classes is not in it yet. Kind::usage.
Result<workflow::ProbeRequest> read_probe_flags(const Arguments& arguments);
// The exit code; errors are those of consent, lock and server. `review` is of the class as it is.
Result<int> probe_class(const Arguments& arguments, const StorageClassFlags& flags, Connection& connection,
                        const workflow::StorageClassReview& review);

}  // namespace truenas::plugin
