#include "lib/workflow/workspace_copy/view.h"

#include "lib/workflow/workspace_review/uses.h"

namespace truenas::workflow {
namespace {

using json::Value;

class DirectView final : public HomeView {
 public:
  explicit DirectView(const kube::Reader& reader) : reader_(reader) {}
  Result<std::optional<Value>> find_claim(const std::string& ns, const std::string& name) override {
    return reader_.find(kube::k_claim, ns, name);
  }
  Result<std::optional<Value>> find_volume(const std::string& name) override {
    return reader_.find(kube::k_volume, "", name);
  }
  Result<std::vector<Value>> pods(const std::string& ns) override {
    kube::ListOptions list;
    list.wanted = pod_fields();
    for (const char* field : {"/metadata/uid", "/metadata/labels", "/status/containerStatuses"}) {
      list.wanted.emplace_back(field);
    }
    return reader_.list(kube::k_pod, ns, list);
  }
  Result<std::vector<Value>> workloads(const std::string& ns) override {
    kube::ListOptions list;
    list.wanted = workload_fields();
    for (const char* field : {"/metadata/uid", "/metadata/generation"}) list.wanted.emplace_back(field);
    TM_TRY_ASSIGN(std::vector<Value> all, reader_.list(kube::k_deployment, ns, list));
    TM_TRY_ASSIGN(const std::vector<Value> sets, reader_.list(kube::k_stateful_set, ns, list));
    all.insert(all.end(), sets.begin(), sets.end());
    return all;
  }
  Result<std::vector<Value>> attachments() override {
    kube::ListOptions list;
    list.wanted = {"/metadata/name", "/spec/source/persistentVolumeName", "/spec/nodeName",
                   "/status/attached"};
    return reader_.list(kube::k_volume_attachment, "", list);
  }

 private:
  const kube::Reader& reader_;
};

}  // namespace

std::unique_ptr<HomeView> direct_view(const kube::Reader& reader) {
  return std::make_unique<DirectView>(reader);
}

}  // namespace truenas::workflow
