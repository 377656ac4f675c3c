#pragma once
// Whether a CSI driver is installed and ready where Pods can run: its CSIDriver object, its controller, and
// whether each schedulable node has registered it. What could not be read is said as unknown, never taken for
// absent. It must not decide whether that is good enough.

#include <string>
#include <vector>

#include "lib/json/value.h"
#include "lib/kube/reader.h"

namespace truenas::storage {

struct DriverController {
  std::string ns, name;
  std::int64_t wanted = 0, ready = 0;
};

struct DriverState {
  std::string name;
  bool installed = false;  // its CSIDriver exists
  std::string
      fs_group_policy;  // "File", "None"; the API's default ReadWriteOnceWithFSType where it is absent
  bool attach_required = true;
  std::vector<DriverController> controllers;  // Deployments and StatefulSets that run its provisioner
  std::vector<std::string> nodes;             // schedulable ones
  std::vector<std::string> nodes_without;     // of those, where the driver is not registered
  std::vector<std::string> unknown;  // "nodes: nodes is forbidden: …": what could not be read, and why
  bool knows_nodes = false;
};

// Kind::unavailable and the like only for the CSIDriver object itself; everything else lands in `unknown`.
Result<DriverState> read_driver(const kube::Reader& reader, const std::string& name);
// Not cordoned, and without a taint that keeps ordinary Pods away. Pure.
bool is_schedulable(const json::Value& node);
// Whether this Deployment or StatefulSet runs the provisioner of the driver: TrueNAS CSI's own label, or a
// csi-provisioner container beside one that names the driver. Pure.
bool runs_provisioner(const json::Value& workload, const std::string& driver);
// What fsGroupPolicy means for a Pod with fsGroup on a volume of this driver, one sentence. Pure.
std::string fs_group_meaning(const std::string& policy);

}  // namespace truenas::storage
