#include "lib/report/access_report.h"

namespace truenas::report {

json::Value cluster_role_document(const std::string& name, const std::vector<kube::Permission>& permissions) {
  json::Value rules = json::Value::array();
  for (const kube::Permission& permission : permissions) {
    const kube::AccessQuery& query = permission.query;
    const std::string resource =
        query.subresource.empty() ? query.resource : query.resource + "/" + query.subresource;
    rules.push_back(json::Value::object({{"apiGroups", json::Value::array({query.group})},
                                         {"resources", json::Value::array({resource})},
                                         {"verbs", json::Value::array({query.verb})}}));
  }
  return json::Value::object({{"apiVersion", "rbac.authorization.k8s.io/v1"},
                              {"kind", "ClusterRole"},
                              {"metadata", json::Value::object({{"name", name}})},
                              {"rules", std::move(rules)}});
}

}  // namespace truenas::report
