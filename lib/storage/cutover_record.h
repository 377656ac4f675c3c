#pragma once
// The record of a swap on the new volume: what was exchanged for what, and the claim as it must be created
// again. It survives the loss of both claims and of the journal. On the volume, never on a claim: Terraform
// strips unknown annotations there (facts/coder.md §2.1). Pure.

#include <optional>
#include <string>
#include <string_view>

#include "lib/base/result.h"
#include "lib/json/value.h"

namespace truenas::storage {

inline constexpr std::string_view k_cutover_annotation = "truenas-migrate/cutover";
inline constexpr int k_cutover_version = 1;

struct CutoverRecord {
  std::string what;                  // "copy", "adopt", "rollback"
  std::string cluster_uid;           // of namespace kube-system: a volume may be restored elsewhere
  std::string ns, claim, claim_uid;  // the claim, with the uid that it had before
  std::string from_class, from_volume, from_volume_uid, from_policy, from_dataset;
  std::string to_class, to_volume, to_policy, to_dataset;  // to_volume: the volume that carries the record
  std::string to_volume_uid;                               // "" in a volume that is created with its record
  std::string time;                                        // RFC 3339, when the record was made
  json::Value replacement;                                 // replacement_claim()'s
};

// The annotation's value, JSON. Kind::refused when it would not fit beside others (all annotations of an
// object have 256 KiB together), Kind::bug for a record without claim, volumes or time.
Result<std::string> cutover_value(const CutoverRecord& record);
// Merge patch that writes it onto the volume with to_volume_uid.
Result<json::Value> cutover_patch(const CutoverRecord& record);
// The record on `volume`; nullopt when there is none. Kind::refused: of another version, or of another volume
// (name or uid): both values are named. Kind::format: not what cutover_value() writes.
Result<std::optional<CutoverRecord>> read_cutover(const json::Value& volume);

}  // namespace truenas::storage
