#pragma once
// HomeView: the five things that the move of a home looks at again and again. Moves side by side share one
// view, and with it each list: those who ask while one is being read get the next one together. It must
// answer with what is, or an error: never with less, and never with what was before the question.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lib/kube/reader.h"

namespace truenas::workflow {

// Thread-safe; nobody may change what others look at too.
class HomeView {
 public:
  using Objects = std::shared_ptr<const std::vector<json::Value>>;
  virtual ~HomeView() = default;
  virtual Result<std::optional<json::Value>> find_claim(const std::string& ns, const std::string& name) = 0;
  virtual Result<std::optional<json::Value>> find_volume(const std::string& name) = 0;
  // With metadata, spec.volumes, spec.nodeName, status.phase and containerStatuses at least.
  virtual Result<Objects> pods(const std::string& ns) = 0;
  // Deployments and StatefulSets, whole or with their Pod template; kind filled in.
  virtual Result<Objects> workloads(const std::string& ns) = 0;
  // VolumeAttachments of the whole cluster.
  virtual Result<Objects> attachments() = 0;
};

// Asks the API server. `reader` must outlive it.
std::unique_ptr<HomeView> shared_view(const kube::Reader& reader);

}  // namespace truenas::workflow
