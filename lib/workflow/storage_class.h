#pragma once
// StorageClassChange: makes a StorageClass what it should be: created, changed in place by server-side apply,
// or, as its parameters are immutable, deleted and made again while nothing depends on it; and back. What it
// decides is in storage_class/decide.h; this class joins it to a cluster and a journal. It must not decide
// anything itself.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lib/engine/workflow.h"
#include "lib/kube/permission.h"
#include "lib/kube/reader.h"
#include "lib/workflow/fact_book.h"
#include "lib/workflow/storage_class/world.h"

namespace truenas::workflow {

class StorageClassChange final : public engine::Workflow<StorageClassWorld> {
 public:
  // `reader` must outlive it.
  StorageClassChange(const kube::Reader& reader, FactBook facts, ClassOptions options);
  ~StorageClassChange() override;

  Result<StorageClassWorld> observe() override;
  engine::Next next(const StorageClassWorld& world) const override;
  StorageClassWorld project(StorageClassWorld world, const engine::Next& next) const override;
  // One effect. Before a deletion claims and volumes are listed once more, and the class that is to follow is
  // put to the server with dryRun=All: Kind::conflict when somebody depends on the class by now,
  // Kind::refused when the server would not take the new one, or when another field manager owns what is to
  // be changed.
  Result<void> act(const engine::Step& step, kube::Writer& writer) override;
  std::vector<engine::Violation> check(const StorageClassWorld& world) const override;
  std::string progress(const StorageClassWorld& world) const override;

  const ClassOptions& options() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// What the command needs, the journal in namespace `ns`.
std::vector<kube::Permission> class_permissions(std::string_view ns);

}  // namespace truenas::workflow
