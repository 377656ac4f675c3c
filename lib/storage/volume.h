#pragma once
// What a PersistentVolume says about itself: which driver really made it, which dataset on the NAS it is, and
// whether anything would delete it. Pure; reads one document and decides nothing.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/json/value.h"
#include "lib/storage/dataset.h"

namespace truenas::storage {

// The mark this tool leaves on a volume that it keeps (a label, so that volumes can be selected by it).
inline constexpr std::string_view k_managed_by_label = "app.kubernetes.io/managed-by";
inline constexpr std::string_view k_managed_by_value = "kubectl-truenas-migrate";
// Annotations on a volume that is kept: the reclaim policy that it had before (--finalize gives it back), and
// whose bytes it holds ("coder/coder-postgres").
inline constexpr std::string_view k_original_policy_annotation = "truenas-migrate/original-reclaim-policy";
inline constexpr std::string_view k_kept_for_annotation = "truenas-migrate/kept-for";

// What a managed volume is for (k_component_label): one with this value is a probe's, thrown away again.
inline constexpr std::string_view k_component_label = "app.kubernetes.io/component";
inline constexpr std::string_view k_adoption_probe_value = "adoption-probe";

struct Volume {
  std::string name, uid;
  std::string driver;  // spec.csi.driver; "" for a volume that no CSI driver serves
  std::string handle;  // spec.csi.volumeHandle
  // The NAS path: volumeAttributes.nfsPath (truenas-csi), .share (Democratic CSI) or nfs.path.
  std::string dataset;
  Dataset location;           // the same for comparing it with another volume's
  std::string storage_class;  // spec.storageClassName, or the legacy annotation; "" for none
  std::string reclaim_policy, phase;
  std::string claim_ns, claim_name, claim_uid;  // spec.claimRef
  std::int64_t bytes = 0;                       // spec.capacity.storage; 0 when absent or unreadable
  bool kept = false;                            // carries our mark, and is no probe's
  bool probe = false;
};

Volume read_volume(const json::Value& object);
// The JSON pointers that read_volume looks at, for kube::ListOptions::wanted.
std::vector<std::string> volume_fields();

}  // namespace truenas::storage
