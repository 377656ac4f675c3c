#pragma once
// What is patched on a PersistentVolume while the volume behind a claim is swapped: kept, reserved for a
// claim, marked, and given its policy back. Pure. Every patch names the uid of the one volume that it is for
// and changes nothing else; nothing here can make the cluster delete a dataset that another volume uses.

#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lib/json/value.h"
#include "lib/storage/dataset.h"
#include "lib/storage/volume.h"

namespace truenas::storage {

// JSON patch: reclaim policy Retain. Kind::conflict at the server when the uid is another one.
json::Value retain_patch(std::string_view uid);

// Merge patch: Retain, our label (k_managed_by_label: Volume::kept) and what the volume was before, in one
// write, so that no volume is ever kept without saying why. `original_policy` must come from the journal or
// from k_original_policy_annotation where either has it: the policy seen now may be our own Retain.
json::Value keep_patch(std::string_view uid, std::string_view original_policy, std::string_view kept_for);
// The policy that this volume had before this tool touched it: the annotation, else what it has now.
std::string original_policy_of(const json::Value& volume);

// JSON patch: reserves the volume for the claim ns/name, which need not exist: nobody else can bind it.
// Only while it is Retain and still says the claim with uid `from_claim_uid` (the temporary one).
json::Value claim_ref_patch(std::string_view uid, std::string_view from_claim_uid, std::string_view ns,
                            std::string_view name);

// JSON patch: `policy` instead of Retain. Kind::refused for anything but Retain while another volume uses the
// dataset (facts/truenas.md §8.7: the data is destroyed within a second); `users` is users_of_dataset()'s,
// without those that the user has accepted.
Result<json::Value> policy_patch(const Volume& volume, std::string_view policy,
                                 const std::vector<DatasetUser>& users);
// Merge patch: the label and the annotations of keep_patch() and the cutover record, off again.
json::Value unmark_patch(std::string_view uid);

}  // namespace truenas::storage
