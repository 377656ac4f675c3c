#include "lib/workflow/workspace_copy/view.h"

#include <map>
#include <mutex>

#include "lib/base/shared_read.h"
#include "lib/workflow/workspace_review/uses.h"

namespace truenas::workflow {
namespace {

using json::Value;

Result<HomeView::Objects> read_pods(const kube::Reader& reader, const std::string& ns) {
  kube::ListOptions list;
  list.wanted = pod_fields();
  for (const char* field : {"/metadata/uid", "/metadata/labels", "/status/containerStatuses"}) {
    list.wanted.emplace_back(field);
  }
  TM_TRY_ASSIGN(std::vector<Value> all, reader.list(kube::k_pod, ns, list));
  return std::make_shared<const std::vector<Value>>(std::move(all));
}

Result<HomeView::Objects> read_workloads(const kube::Reader& reader, const std::string& ns) {
  kube::ListOptions list;
  list.wanted = workload_fields();
  for (const char* field : {"/metadata/uid", "/metadata/generation"}) list.wanted.emplace_back(field);
  TM_TRY_ASSIGN(std::vector<Value> all, reader.list(kube::k_deployment, ns, list));
  TM_TRY_ASSIGN(const std::vector<Value> sets, reader.list(kube::k_stateful_set, ns, list));
  all.insert(all.end(), sets.begin(), sets.end());
  return std::make_shared<const std::vector<Value>>(std::move(all));
}

Result<HomeView::Objects> read_attachments(const kube::Reader& reader) {
  kube::ListOptions list;
  list.wanted = {"/metadata/name",   "/spec/source/persistentVolumeName", "/spec/nodeName",
                 "/status/attached", "/status/attachmentMetadata",        "/status/attachError"};
  TM_TRY_ASSIGN(std::vector<Value> all, reader.list(kube::k_volume_attachment, "", list));
  return std::make_shared<const std::vector<Value>>(std::move(all));
}

class SharedView final : public HomeView {
 public:
  explicit SharedView(const kube::Reader& reader) : reader_(reader) {}
  Result<std::optional<Value>> find_claim(const std::string& ns, const std::string& name) override {
    return reader_.find(kube::k_claim, ns, name);
  }
  Result<std::optional<Value>> find_volume(const std::string& name) override {
    return reader_.find(kube::k_volume, "", name);
  }
  Result<Objects> pods(const std::string& ns) override {
    return of(ns).pods.get([this, &ns] { return read_pods(reader_, ns); });
  }
  Result<Objects> workloads(const std::string& ns) override {
    return of(ns).workloads.get([this, &ns] { return read_workloads(reader_, ns); });
  }
  Result<Objects> attachments() override {
    return attachments_.get([this] { return read_attachments(reader_); });
  }

 private:
  struct Namespace {
    SharedRead<Objects> pods, workloads;
  };
  Namespace& of(const std::string& ns) {
    const std::lock_guard<std::mutex> lock(mutex_);
    return namespaces_[ns];
  }

  const kube::Reader& reader_;
  std::mutex mutex_;  // of the map alone
  std::map<std::string, Namespace> namespaces_;
  SharedRead<Objects> attachments_;
};

}  // namespace

std::unique_ptr<HomeView> shared_view(const kube::Reader& reader) {
  return std::make_unique<SharedView>(reader);
}

}  // namespace truenas::workflow
