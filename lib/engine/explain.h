#pragma once
// Explain: why a wait takes long, in the words of the cluster's own Events. It must not decide anything.

#include <functional>
#include <string>
#include <vector>

#include "lib/engine/workflow.h"
#include "lib/kube/reader.h"

namespace truenas::engine {

// "still waiting because: FailedMount: …; ProvisioningFailed: … (12 times)": warnings, the newest first, each
// text once, at most three; the newest other event where there is no warning; "" where there is none at all.
// `events` are oldest first, as Reader::events_of gives them.
std::string explain(const std::vector<kube::EventLine>& events);

// For RunOptions::explain: asks for the events of the wait's object. A failure to look is said, not hidden.
std::function<std::string(const Wait&)> explain_by_events(kube::Reader reader);

}  // namespace truenas::engine
