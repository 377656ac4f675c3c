#pragma once
// The runbook's site with homes to move: Coder with a Role that lets it delete claims, a mover that really
// copies between the fake NAS's datasets, and the workflow run on them as the command runs it.

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <memory>
#include <string>

#include "lib/base/text.h"
#include "lib/engine/journal_store.h"
#include "lib/engine/plan.h"
#include "lib/engine/run.h"
#include "lib/workflow/workspace_copy.h"
#include "lib/workflow/workspace_copy/queries.h"
#include "tests/fakes/fake_transport.h"
#include "tests/fakes/site.h"
#include "tests/unit/workflow/fake_mover.h"
#include "tests/unit/yaml.h"

namespace truenas::workflow {

inline std::string text_of(const engine::Outcome& outcome) {
  return outcome.ok() ? "done: " + outcome.done->summary
                      : std::string(kind_name(outcome.error->kind)) + ": " + outcome.error->what;
}

class HomeSite {
 public:
  static constexpr const char* k_ns = "coder-workspaces";
  static constexpr const char* k_home = "coder-0b9d7f63-52d4-4e0b-a0f3-77c1d2e3f403-home";  // stopped
  static constexpr const char* k_account = "system:serviceaccount:coder:coder";

  HomeSite() {
    options.ns = k_ns;
    options.claim = k_home;
    options.cluster_uid = "cluster";
    fakes::build_classes(cluster);
    cluster.put(yaml("{apiVersion: v1, kind: Namespace, metadata: {name: kube-system}}"));
    cluster.meddle(kube::k_node, "", "node1", [](json::Value& node) {
      node.set_at("/status/conditions", yaml("[{type: Ready, status: 'True'}]"));
      node.set_at("/status/nodeInfo/architecture", "amd64");
      node.set_at("/status/images", yaml("[{names: ['registry.k8s.io/pause:3.10']}]"));
    });
    put_home();
    put_coder();
    cluster.workloads.run_pod = [this](const json::Value& pod) { return mover.move(pod); };
    REQUIRE(cluster.tick_until([this] { return claim()->text_at("/status/phase") == "Bound"; }, 10));
    write_home("work/main.go", "package main");
    write_home(".bash_history", "ls");
  }

  // One run, from a new process as it were, that may write so often before it is killed.
  engine::Outcome run(std::size_t writes = SIZE_MAX) {
    auto session = fakes::make_session(cluster, clock);
    const kube::Reader reader(*session);
    kube::Writer writer(*session, fakes::permit_for(writes));
    engine::JournalStore journal(reader, {k_ns, "workspace", options.claim}, {"cluster", "claim", ""}, clock);
    auto view = shared_view(reader);
    WorkspaceCopy copy(tools(reader, *view, journal, writer), options);
    engine::RunOptions run_options;
    run_options.clock = &clock;
    run_options.interrupted = interrupted;
    engine::Outcome outcome = engine::run(copy, writer, run_options);
    if (settles && outcome.error) {
      settled = copy.settle_freeze(writer);
      held = copy.held_warnings();
    }
    return outcome;
  }
  engine::Outcome roll_back() {
    options.rollback = true;
    engine::Outcome outcome = run();
    options.rollback = false;
    return outcome;
  }
  static FactBook facts_of(engine::JournalStore& journal, kube::Writer& writer) {
    return {[&journal]() -> Result<std::map<std::string, std::string>> {
              TM_TRY_ASSIGN(const engine::Journal read, journal.read());
              return read.facts();
            },
            [&journal, &writer](const std::string& key, const std::string& value) {
              return journal.set_facts(writer, {{key, value}});
            }};
  }
  // What a new process would do next, and all of it.
  engine::Plan plan() {
    auto session = fakes::make_session(cluster, clock);
    const kube::Reader reader(*session);
    kube::Writer writer(*session, fakes::any_permit());
    engine::JournalStore journal(reader, {k_ns, "workspace", options.claim}, {"cluster", "claim", ""}, clock);
    auto view = shared_view(reader);
    WorkspaceCopy copy(tools(reader, *view, journal, writer), options);
    auto world = copy.observe();
    REQUIRE_MESSAGE(world.ok(), (world.ok() ? "" : world.error().what));
    auto plan = engine::unfold(copy, *world);
    REQUIRE_MESSAGE(plan.ok(), (plan.ok() ? "" : plan.error().what));
    return std::move(plan).value();
  }

  const json::Value* claim() const { return cluster.find(kube::k_claim, k_ns, options.claim); }
  const json::Value& volume() const {
    const json::Value* found = cluster.find(kube::k_volume, "", claim()->text_at("/spec/volumeName"));
    REQUIRE(found != nullptr);
    return *found;
  }
  std::map<std::string, std::string> files() {
    fakes::Dataset* home = cluster.storage.dataset_of(k_ns, options.claim);
    return home != nullptr ? home->files : std::map<std::string, std::string>();
  }
  void write_home(const std::string& path, const std::string& content) {
    fakes::Dataset* home = cluster.storage.dataset_of(k_ns, options.claim);
    REQUIRE(home != nullptr);
    home->files[path] = content;
    before = home->files;
  }
  // A Pod of somebody's that mounts the home.
  void start_pod(const std::string& name) {
    cluster.put(
        yaml(fmt::format("{{apiVersion: v1, kind: Pod, metadata: {{name: {}, namespace: {}}}, spec: "
                         "{{restartPolicy: Always, nodeName: "
                         "node1, containers: [{{name: c, image: x}}], volumes: [{{name: h, "
                         "persistentVolumeClaim: {{claimName: {}}}}}]}}, "
                         "status: {{phase: Running}}}}",
                         name, k_ns, options.claim)));
  }
  void stop_pod(const std::string& name) { cluster.erase(kube::k_pod, k_ns, name); }

  // Volumes of the new class that the next claim of the home's name would get.
  std::vector<std::string> reserved_for_home() const {
    std::vector<std::string> names;
    for (const json::Value* object : cluster.store.list("", "persistentvolumes")) {
      const bool home = object->text_at("/spec/claimRef/name") == options.claim &&
                        object->text_at("/spec/claimRef/uid").empty();
      if (home && object->text_at("/spec/storageClassName") == options.to_class)
        names.push_back(object->text_at("/metadata/name"));
    }
    return names;
  }
  bool coder_may_delete() const {
    const json::Value* role = cluster.find(kube::k_role, k_ns, "coder-workspace-perms");
    return role != nullptr && grants_claim_rights(*role->find("rules"));
  }
  std::size_t count(std::string_view plural, std::string_view part) const {
    std::size_t found = 0;
    for (const json::Value* object : cluster.store.list("", std::string(plural))) {
      if (contains(object->text_at("/metadata/name"), part)) ++found;
    }
    return found;
  }

  // How it must be after every run that ended well.
  void check_moved() {
    cluster.tick(3);
    REQUIRE(claim() != nullptr);
    CHECK(claim()->text_at("/status/phase") == "Bound");
    CHECK(claim()->text_at("/spec/storageClassName") == "truenas-csi-nfs");
    CHECK(claim()->text_at("/spec/resources/requests/storage") == "10Gi");
    CHECK(kube::label_of(*claim(), "com.coder.workspace.id") == "0b9d7f63-52d4-4e0b-a0f3-77c1d2e3f403");
    CHECK(volume().text_at("/spec/persistentVolumeReclaimPolicy") == "Retain");
    CHECK(volume().text_at("/spec/claimRef/uid") == kube::identity_of(*claim()).uid);
    CHECK(files() == before);
    check_clean();
  }
  void check_clean() {
    CHECK(cluster.destroyed_data().empty());
    CHECK(coder_may_delete());
    CHECK(count("persistentvolumeclaims", "truenas-migrate-") == 0);
    CHECK(count("pods", "truenas-migrate-") == 0);
  }

  fakes::FakeCluster cluster;
  fakes::FakeClock clock{cluster};
  WorkspaceCopyOptions options;
  std::map<std::string, std::string> before;
  FakeMover mover{cluster};
  std::function<bool()> interrupted = [] { return false; };
  WorkspaceControl* control = nullptr;  // Coder, where the run has a token
  bool settles = false;                 // as the command does at the end of a run that failed
  std::vector<std::string> settled;     // … and what it then has to say
  std::vector<std::string> held;        // … of the workspace

 private:
  void put_home() {
    cluster.put(yaml(fmt::format(
        "{{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {{name: {}, namespace: {}, finalizers: "
        "[kubernetes.io/pvc-protection], labels: {{com.coder.resource: 'true', com.coder.workspace.id: "
        "0b9d7f63-52d4-4e0b-a0f3-77c1d2e3f403}}, annotations: {{com.coder.user.email: ada@example.com}}}}, "
        "spec: "
        "{{accessModes: [ReadWriteOnce], volumeMode: Filesystem, storageClassName: truenas-nfs, resources: "
        "{{requests: "
        "{{storage: 10Gi}}}}}}, status: {{phase: Pending}}}}",
        k_home, k_ns)));
  }
  void put_coder() {
    cluster.put(
        yaml("{apiVersion: apps/v1, kind: Deployment, metadata: {name: coder, namespace: coder, labels: "
             "{app.kubernetes.io/name: coder}}, spec: {replicas: 1, template: {metadata: {labels: "
             "{app.kubernetes.io/name: coder}}, spec: {serviceAccountName: coder, containers: [{name: coder, "
             "image: "
             "x}]}}}}"));
    cluster.put(yaml(
        fmt::format("{{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {{name: "
                    "coder-workspace-perms, namespace: {}}}, "
                    "rules: [{{apiGroups: [''], resources: [pods, persistentvolumeclaims], verbs: ['*']}}]}}",
                    k_ns)));
    cluster.put(yaml(fmt::format(
        "{{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {{name: coder, namespace: "
        "{}}}, "
        "subjects: [{{kind: ServiceAccount, name: coder, namespace: coder}}], roleRef: {{kind: Role, name: "
        "coder-workspace-perms, apiGroup: rbac.authorization.k8s.io}}}}",
        k_ns)));
    cluster.api.account_may = [this](const std::string& user, const std::string& verb,
                                     const fakes::ApiPath& path) {
      if (user != k_account || path.plural != "persistentvolumeclaims") return true;
      return verb != "create" && verb != "delete" && verb != "deletecollection" ? true : coder_may_delete();
    };
  }

  WorkspaceCopyTools tools(const kube::Reader& reader, HomeView& view, engine::JournalStore& journal,
                           kube::Writer& writer) {
    return {
        .reader = reader,
        .view = view,
        .facts = facts_of(journal, writer),
        .program = [](const std::string&) -> Result<std::string_view> { return std::string_view("program"); },
        .wishes = {},
        .run = fmt::format("r{}", ++runs_),
        .coder = control,
        .clock = clock};
  }

  int runs_ = 0;
};

}  // namespace truenas::workflow
