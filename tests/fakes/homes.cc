#include "tests/fakes/homes.h"

namespace truenas::fakes {
namespace {

using json::Value;

constexpr const char* k_homes = "coder-workspaces";
#if defined(__aarch64__)
constexpr const char* k_architecture = "arm64";
#else
constexpr const char* k_architecture = "amd64";
#endif

Dataset* mounted(FakeCluster& cluster, const Value& pod, std::string_view path) {
  for (const Value& mount : pod.items_at("/spec/containers/0/volumeMounts")) {
    if (mount.text_at("/mountPath") != path) continue;
    for (const Value& volume : pod.items_at("/spec/volumes")) {
      if (volume.text_at("/name") != mount.text_at("/name")) continue;
      return cluster.storage.dataset_of(pod.text_at("/metadata/namespace"),
                                        volume.text_at("/persistentVolumeClaim/claimName"));
    }
  }
  return nullptr;
}

// As lib/mover ends; other Pods just end.
PodEnd run_mover(FakeCluster& cluster, const Value& pod) {
  const auto& words = pod.items_at("/spec/containers/0/args");
  const bool is_mover = pod.text_at("/metadata/labels/app.kubernetes.io~1component") == "mover";
  if (!is_mover || words.empty()) return {};
  const std::string mode = words[0].text();
  Dataset *source = mounted(cluster, pod, "/source"), *target = mounted(cluster, pod, "/target");
  int exit = 0;
  if (mode == "copy" && source != nullptr && target != nullptr) target->files = source->files;
  if (mode == "compare" && (source == nullptr || target == nullptr || target->files != source->files))
    exit = 3;
  // compare counts the root too.
  std::int64_t entries = mode == "compare" ? 1 : 0;
  if (source != nullptr) entries += static_cast<std::int64_t>(source->files.size());
  const Value result = Value::object(
      {{"type", "result"},
       {"mode", mode},
       {"exit", exit},
       {"text", exit == 0 ? "done" : "not the same"},
       {"facts", Value::object({{"way", "chown"}, {"manifest", "m"}})},
       {"counts", Value::object({{"bytes", 1000}, {"bytes_allocated", 500}, {"entries", entries}})}});
  return {exit, json::write(result), ""};
}

}  // namespace

void fill_homes(FakeCluster& cluster) {
  for (const Value* claim : cluster.store.list("", "persistentvolumeclaims", k_homes)) {
    const std::string& name = claim->text_at("/metadata/name");
    if (Dataset* home = cluster.storage.dataset_of(k_homes, name)) {
      home->files = {{"work/main.go", "package main"}, {".bash_history", "ls " + name}};
    }
  }
  cluster.meddle(kube::k_node, "", "node1", [](Value& node) {
    node.set_at("/status/conditions", Value::array({Value::object({{"type", "Ready"}, {"status", "True"}})}));
    node.set_at("/status/nodeInfo/architecture", k_architecture);
    node.set_at("/status/images",
                Value::array({Value::object({{"names", Value::array({"registry.k8s.io/pause:3.10"})}})}));
  });
  cluster.workloads.run_pod = [&cluster](const Value& pod) { return run_mover(cluster, pod); };
}

Value describe_homes(FakeCluster& cluster) {
  Value homes = Value::object();
  for (const Value* claim : cluster.store.list("", "persistentvolumeclaims", k_homes)) {
    const std::string& name = claim->text_at("/metadata/name");
    Value files = Value::object();
    if (const Dataset* home = cluster.storage.dataset_of(k_homes, name)) {
      for (const auto& [path, content] : home->files) files.set(path, content);
    }
    homes.set(name, Value::object({{"class", claim->text_at("/spec/storageClassName")},
                                   {"phase", claim->text_at("/status/phase")},
                                   {"files", std::move(files)}}));
  }
  return homes;
}

}  // namespace truenas::fakes
