#pragma once
// The rights that a command needs as a document. Pure.

#include <string>
#include <vector>

#include "lib/json/value.h"
#include "lib/kube/permission.h"

namespace truenas::report {

// A ClusterRole with exactly these rights (--print-rbac).
json::Value cluster_role_document(const std::string& name, const std::vector<kube::Permission>& permissions);

}  // namespace truenas::report
