#pragma once
// Whether Coder's service accounts may delete claims (CK10): asked of the API server by SubjectAccessReview,
// which keeps nothing.

#include <string>

#include "lib/base/result.h"
#include "lib/kube/reader.h"
#include "lib/workflow/workspace_review/site.h"

namespace truenas::workflow {

// Fills site.delete_rights for the namespaces of site.claims. What the user may not ask is said as unknown;
// errors only where the server does not answer.
Result<void> read_delete_rights(const kube::Reader& reader, const std::string& coder_ns, WorkspaceSite& site);

}  // namespace truenas::workflow
