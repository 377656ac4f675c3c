#include "lib/storage/driver.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "lib/base/text.h"

namespace truenas::storage {
namespace {

using json::Value;

constexpr std::string_view k_truenas_controller = "truenas-csi-controller";

void read_driver_object(const Value& object, DriverState& state) {
  state.installed = true;
  state.fs_group_policy = object.text_at("/spec/fsGroupPolicy");
  if (state.fs_group_policy.empty()) state.fs_group_policy = "ReadWriteOnceWithFSType";
  state.attach_required = object.boolean_at("/spec/attachRequired", true);
}

void read_controllers(const kube::Reader& reader, DriverState& state) {
  for (const kube::ResourceType& type : {kube::k_deployment, kube::k_stateful_set}) {
    const auto listed = reader.list(type, "");
    if (!listed.ok()) {
      state.unknown.push_back(fmt::format("{}: {}", type.plural, listed.error().what));
      continue;
    }
    for (const Value& workload : *listed) {
      if (!runs_provisioner(workload, state.name)) continue;
      const kube::Identity identity = kube::identity_of(workload);
      state.controllers.push_back({identity.ns, identity.name, workload.integer_at("/spec/replicas", 1),
                                   workload.integer_at("/status/readyReplicas")});
    }
  }
}

void read_nodes(const kube::Reader& reader, DriverState& state) {
  const auto nodes = reader.list(kube::k_node, "");
  if (!nodes.ok()) {
    state.unknown.push_back("nodes: " + nodes.error().what);
    return;
  }
  for (const Value& node : *nodes) {
    if (is_schedulable(node)) state.nodes.push_back(node.text_at("/metadata/name"));
  }
  const auto registered = reader.list(kube::k_csi_node, "");
  if (!registered.ok()) {
    state.unknown.push_back("csinodes: " + registered.error().what);
    return;
  }
  std::set<std::string> with;
  for (const Value& csi_node : *registered) {
    for (const Value& driver : csi_node.items_at("/spec/drivers")) {
      if (driver.text_at("/name") == state.name) with.insert(csi_node.text_at("/metadata/name"));
    }
  }
  for (const std::string& node : state.nodes) {
    if (!with.contains(node)) state.nodes_without.push_back(node);
  }
  state.knows_nodes = true;
}

}  // namespace

Result<DriverState> read_driver(const kube::Reader& reader, const std::string& name) {
  DriverState state;
  state.name = name;
  const auto object = reader.find(kube::k_csi_driver, "", name);
  if (object.ok()) {
    if (*object) read_driver_object(**object, state);
  } else if (object.error().kind == Kind::auth) {
    state.unknown.push_back("csidriver: " + object.error().what);
  } else {
    return object.error();
  }
  read_controllers(reader, state);
  read_nodes(reader, state);
  return state;
}

bool is_schedulable(const Value& node) {
  const auto& taints = node.items_at("/spec/taints");
  return !node.boolean_at("/spec/unschedulable") &&
         std::none_of(taints.begin(), taints.end(),
                      [](const Value& taint) { return taint.text_at("/effect") != "PreferNoSchedule"; });
}

bool runs_provisioner(const Value& workload, const std::string& driver) {
  if (driver == "csi.truenas.io" && kube::label_of(workload, "app") == k_truenas_controller) return true;
  bool provisioner = false, names_driver = false;
  for (const Value& container : workload.items_at("/spec/template/spec/containers")) {
    if (contains(container.text_at("/name"), "csi-provisioner") ||
        contains(container.text_at("/name"), "external-provisioner") ||
        contains(container.text_at("/image"), "csi-provisioner")) {
      provisioner = true;
    }
    for (const char* list : {"/args", "/command"}) {
      for (const Value& word : container.items_at(list))
        names_driver = names_driver || contains(word.text(), driver);
    }
    for (const Value& variable : container.items_at("/env")) {
      names_driver = names_driver || variable.text_at("/value") == driver;
    }
  }
  return provisioner && names_driver;
}

std::string fs_group_meaning(const std::string& policy) {
  if (policy == "None") return "the kubelet never changes groups for a Pod's fsGroup";
  if (policy == "File") {
    return "a Pod's fsGroup is applied at every mount: on a share with root_squash such a Pod fails to start "
           "as soon "
           "as a directory is private to its owner";
  }
  return "a Pod's fsGroup is applied to ReadWriteOnce volumes that have an fsType";
}

}  // namespace truenas::storage
