#pragma once
// HomeView: the five things that the move of a home looks at again and again. Today each look asks the API
// server; many moves side by side can share one watch a kind behind it. It must answer with what is, or an
// error: never with less.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lib/kube/reader.h"

namespace truenas::workflow {

class HomeView {
 public:
  virtual ~HomeView() = default;
  virtual Result<std::optional<json::Value>> find_claim(const std::string& ns, const std::string& name) = 0;
  virtual Result<std::optional<json::Value>> find_volume(const std::string& name) = 0;
  // With metadata, spec.volumes, spec.nodeName, status.phase and containerStatuses at least.
  virtual Result<std::vector<json::Value>> pods(const std::string& ns) = 0;
  // Deployments and StatefulSets, whole or with their Pod template; kind filled in.
  virtual Result<std::vector<json::Value>> workloads(const std::string& ns) = 0;
  // VolumeAttachments of the whole cluster.
  virtual Result<std::vector<json::Value>> attachments() = 0;
};

// Asks the API server every time. `reader` must outlive it.
std::unique_ptr<HomeView> direct_view(const kube::Reader& reader);

}  // namespace truenas::workflow
