#include "lib/workflow/workspace_copy/view.h"

#include <array>
#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <unordered_map>

#include "lib/base/shared_read.h"
#include "lib/storage/volume.h"
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

constexpr std::string_view k_saves = "so that homes need not be asked for again and again";
constexpr auto k_wishes = std::to_array<kube::PermissionRow>({
    {"list watch", "", "pods", "", true, k_saves},
    {"list watch", "", "persistentvolumeclaims", "", true, k_saves},
    {"list watch", "apps", "deployments", "", true, k_saves},
    {"list watch", "apps", "statefulsets", "", true, k_saves},
    {"list watch", "", "persistentvolumes", "", false, k_saves},
    {"list watch", "storage.k8s.io", "volumeattachments", "", false, k_saves},
});

// What a plan is made from: a list once for all homes instead of a question for each.
using ByName = std::shared_ptr<const std::unordered_map<std::string, Value>>;

Result<ByName> read_by_name(const kube::Reader& reader, const kube::ResourceType& type,
                            const std::string& ns) {
  TM_TRY_ASSIGN(std::vector<Value> all, reader.list(type, ns));
  std::unordered_map<std::string, Value> named;
  for (Value& object : all) {
    std::string name = kube::identity_of(object).name;
    named.emplace(std::move(name), std::move(object));
  }
  return ByName(std::make_shared<const std::unordered_map<std::string, Value>>(std::move(named)));
}

std::optional<Value> found_in(const ByName& all, const std::string& name) {
  const auto found = all->find(name);
  return found == all->end() ? std::nullopt : std::optional<Value>(found->second);
}

// Of one namespace.
struct Shared {
  SharedRead<HomeView::Objects> pods, workloads;
  SharedRead<Builders> builders;
  SharedRead<std::vector<Value>> frozen;
  SharedRead<ByName> claims;  // of a plan
  std::map<std::string, SharedRead<std::optional<Value>>> roles;
};

// Watches cost the server something each; homes of further namespaces are looked at by asking.
constexpr std::size_t k_followed_namespaces = 8;

class SharedView final : public HomeView {
  template <class F>
  decltype(auto) locked(const F& what) {
    const std::lock_guard<std::mutex> lock(mutex_);
    return what();
  }

 public:
  SharedView(const kube::Reader& reader, const ViewOptions& options)
      : reader_(reader), clock_(reader.session().clock()), options_(options) {
    if (options.watches) {
      changes_ = std::make_unique<kube::Changes>(reader.session(), is_mover);
    }
  }

  Result<std::optional<Value>> find_claim(const std::string& ns, const std::string& name) override {
    if (!plans_) return reader_.find(kube::k_claim, ns, name);
    TM_TRY_ASSIGN(const ByName all,
                  aged<ByName>(of(ns).claims, [&] { return read_by_name(reader_, kube::k_claim, ns); }));
    return found_in(all, name);
  }
  Result<std::optional<Value>> find_volume(const std::string& name) override {
    if (!plans_) return reader_.find(kube::k_volume, "", name);
    TM_TRY_ASSIGN(const ByName all,
                  aged<ByName>(*volumes_, [&] { return read_by_name(reader_, kube::k_volume, ""); }));
    return found_in(all, name);
  }
  Result<std::optional<Value>> find_class(const std::string& name) override {
    SharedRead<std::optional<Value>>& shared = locked([&]() -> auto& { return classes_[name]; });
    return aged<std::optional<Value>>(shared, [&] { return reader_.find(kube::k_storage_class, "", name); });
  }
  Result<Objects> pods(const std::string& ns) override {
    return planned<Objects>(of(ns).pods, [this, &ns] { return read_pods(reader_, ns); });
  }
  Result<Objects> workloads(const std::string& ns) override {
    return planned<Objects>(of(ns).workloads, [this, &ns] { return read_workloads(reader_, ns); });
  }
  Result<Objects> attachments() override {
    return planned<Objects>(*attachments_, [this] { return read_attachments(reader_); });
  }

  FreezeSources freeze_sources(const std::string& coder_ns, const std::string& ns) override {
    Shared& shared = of(ns);
    FreezeSources sources;
    sources.builders = [this, &shared, coder_ns, ns] {
      return aged<Builders>(shared.builders, [&] { return read_builders(reader_, coder_ns, ns); });
    };
    sources.frozen = [this, &shared, ns] {
      return planned<std::vector<Value>>(shared.frozen, [&] { return read_frozen_roles(reader_, ns); });
    };
    sources.role = [this, &shared, ns](const std::string& name) {
      auto& role = locked([&]() -> auto& { return shared.roles[name]; });
      return planned<std::optional<Value>>(role, [&] { return reader_.find(kube::k_role, ns, name); });
    };
    sources.runs_here = [this](const std::string& claim) {
      return locked([&] { return running_.contains(claim); });
    };
    return sources;
  }

  Result<std::vector<std::string>> missing(const std::vector<kube::Permission>& needed) override {
    std::string key;
    for (const kube::Permission& permission : needed) key += kube::describe(permission) + "\n";
    auto& shared = locked([&]() -> auto& { return missing_[key]; });
    return shared.get([&] { return kube::missing_permissions(reader_, needed); }, clock_, k_for_good);
  }

  std::shared_ptr<void> begin_run(const std::string& full_name) override {
    locked([&] { running_.insert(full_name); });
    return {nullptr, [this, full_name](void*) { locked([&] { running_.erase(full_name); }); }};
  }

  kube::Changes* changes() override { return changes_.get(); }
  // What was read for a plan is forgotten with it.
  void plan(bool goes_on) override {
    plans_ = goes_on;
    locked([&] {
      namespaces_.clear();
      classes_.clear();
    });
    volumes_ = std::make_unique<SharedRead<ByName>>();
    attachments_ = std::make_unique<SharedRead<Objects>>();
  }
  void follow(const std::string& ns) override {
    if (changes_ == nullptr) return;
    const bool room = locked([&] {
      return followed_.contains(ns) ||
             (followed_.size() < k_followed_namespaces && followed_.insert(ns).second);
    });
    if (!room) return;
    for (const kube::ResourceType& type :
         {kube::k_pod, kube::k_claim, kube::k_deployment, kube::k_stateful_set}) {
      changes_->follow(type, ns);
    }
    changes_->follow(kube::k_volume, "");
    changes_->follow(kube::k_volume_attachment, "");
  }

 private:
  static constexpr Milliseconds k_for_good{std::chrono::hours(24 * 365)};

  Shared& of(const std::string& ns) {
    return locked([&]() -> auto& { return namespaces_[ns]; });
  }
  template <class T>
  Result<T> aged(SharedRead<T>& shared, const std::function<Result<T>()>& read) {
    if (plans_) return shared.get(read, clock_, k_for_good);
    return options_.age.count() > 0 ? shared.get(read, clock_, options_.age) : shared.get(read);
  }
  // Never old, but in a plan.
  template <class T>
  Result<T> planned(SharedRead<T>& shared, const std::function<Result<T>()>& read) {
    return plans_ ? shared.get(read, clock_, k_for_good) : shared.get(read);
  }

  const kube::Reader& reader_;
  Clock& clock_;
  const ViewOptions options_;
  std::mutex mutex_;  // of the maps and sets alone
  std::map<std::string, Shared> namespaces_;
  std::map<std::string, SharedRead<std::optional<Value>>> classes_;
  std::map<std::string, SharedRead<std::vector<std::string>>> missing_;
  std::set<std::string> running_, followed_;
  std::unique_ptr<SharedRead<ByName>> volumes_ = std::make_unique<SharedRead<ByName>>();
  std::unique_ptr<SharedRead<Objects>> attachments_ = std::make_unique<SharedRead<Objects>>();
  std::atomic<bool> plans_ = false;
  std::unique_ptr<kube::Changes> changes_;
};

}  // namespace

bool is_mover(const json::Value& pod) {
  return kube::label_of(pod, "app.kubernetes.io/component") == "mover" &&
         kube::label_of(pod, storage::k_managed_by_label) == storage::k_managed_by_value;
}

std::vector<kube::Permission> view_wishes(const std::string& ns) {
  return kube::permissions(k_wishes, ns);
}

std::unique_ptr<HomeView> shared_view(const kube::Reader& reader, const ViewOptions& options) {
  return std::make_unique<SharedView>(reader, options);
}

}  // namespace truenas::workflow
