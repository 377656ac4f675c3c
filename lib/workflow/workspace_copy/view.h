#pragma once
// HomeView: what the move of a home looks at again and again. Moves side by side share one view, and with it
// each list: those who ask while one is being read get the next one together. It must answer with what is, or
// an error: never with less, and never with what was before the question, but where it says so.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lib/kube/changes.h"
#include "lib/kube/permission.h"
#include "lib/kube/reader.h"
#include "lib/workflow/build_freeze.h"

namespace truenas::workflow {

// A Pod of this tool's that reads or writes a home: nobody's use of it.
bool is_mover(const json::Value& pod);

// Thread-safe; nobody may change what others look at too.
class HomeView {
 public:
  using Objects = std::shared_ptr<const std::vector<json::Value>>;
  virtual ~HomeView() = default;
  virtual Result<std::optional<json::Value>> find_claim(const std::string& ns, const std::string& name) = 0;
  virtual Result<std::optional<json::Value>> find_volume(const std::string& name) = 0;
  // May be as old as ViewOptions says.
  virtual Result<std::optional<json::Value>> find_class(const std::string& name) = 0;
  // With metadata, spec.volumes, spec.nodeName, status.phase and containerStatuses at least.
  virtual Result<Objects> pods(const std::string& ns) = 0;
  // Deployments and StatefulSets, whole or with their Pod template; kind filled in.
  virtual Result<Objects> workloads(const std::string& ns) = 0;
  // VolumeAttachments of the whole cluster.
  virtual Result<Objects> attachments() = 0;
  // Who may build may be as old as ViewOptions says; Roles are not.
  virtual FreezeSources freeze_sources(const std::string& coder_ns, const std::string& ns) = 0;
  // kube::missing_permissions(), once for each set of them.
  virtual Result<std::vector<std::string>> missing(const std::vector<kube::Permission>& needed) = 0;

  // A run for this claim of this process goes on, until what it gives is destroyed.
  virtual std::shared_ptr<void> begin_run(const std::string& full_name) = 0;
  // Whether a look is worth it; null: it always is.
  virtual kube::Changes* changes() = 0;
  // While planning goes on, whatever is asked may be as old as its beginning, and is read by one list a kind
  // for all homes. Not while anything runs.
  virtual void plan(bool goes_on) = 0;
  // Has the kinds watched that the move of a home of this namespace looks at.
  virtual void follow(const std::string& ns) = 0;
};

struct ViewOptions {
  // How old an answer may be where that is allowed: nothing that a move is about depends on it.
  Milliseconds age{0};
  bool watches = false;  // one watch a kind, in the first namespaces at least
};
// Asks the API server. `reader` must outlive it.
std::unique_ptr<HomeView> shared_view(const kube::Reader& reader, const ViewOptions& options = {});
// What watching needs; without it all is asked for instead.
std::vector<kube::Permission> view_wishes(const std::string& ns);

}  // namespace truenas::workflow
