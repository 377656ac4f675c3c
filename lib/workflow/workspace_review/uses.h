#pragma once
// Which Pods and workloads mount which claims, read from their volumes: labels do not tell. Pure.

#include <string>
#include <vector>

#include "lib/json/value.h"
#include "lib/kube/resource.h"
#include "lib/workflow/workspace_review/site.h"

namespace truenas::workflow {

using UsesOfClaims = std::map<ClaimKey, std::vector<ClaimUse>>;

void add_pod(const json::Value& pod, UsesOfClaims& uses);
// A Deployment or StatefulSet, by its Pod template.
void add_workload(const json::Value& workload, ClaimUse::Kind kind, UsesOfClaims& uses);
// For kube::ListOptions::wanted.
std::vector<std::string> pod_fields();
std::vector<std::string> workload_fields();

}  // namespace truenas::workflow
