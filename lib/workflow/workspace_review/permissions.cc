#include "lib/workflow/workspace_review.h"

namespace truenas::workflow {
namespace {

constexpr kube::PermissionRow k_rights[] = {
    {"get", "", "namespaces", "", false, "to tell a misspelt namespace from an empty one"},
    {"list", "storage.k8s.io", "storageclasses", "", false, "to know both classes and their drivers"},
    {"list", "", "persistentvolumes", "", false, "to know which driver really made a volume"},
    {"list", "storage.k8s.io", "volumeattachments", "", false, "to know whether a node still has a volume"},
    {"create", "authorization.k8s.io", "subjectaccessreviews", "", false,
     "to know whether Coder may delete claims"},
    {"list", "", "persistentvolumeclaims", "", true, "to find the workspaces"},
    {"list", "", "pods", "", true, "to know which workspaces run"},
    {"list", "apps", "deployments", "", true, "to know which workspaces are about to run"},
    {"list", "apps", "statefulsets", "", true, "to know which workspaces are about to run"},
};

}  // namespace

std::vector<kube::Permission> workspace_permissions(const std::string& ns) {
  return kube::permissions(k_rights, ns);
}

}  // namespace truenas::workflow
