#pragma once
// Swapping the volume behind a claim means deleting the claim and creating it again under its own name. Here
// is what is created: the claim itself (one strip list, nothing else is dropped), its trial, and the
// temporary claim that the new volume comes from. Pure; it must not decide when, and knows no volume.

#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lib/json/value.h"
#include "lib/storage/volume.h"

namespace truenas::storage {

// Labels of a temporary claim beside k_managed_by_label: what it is (k_component_label), and whose it is (the
// uid of the claim that it is for). Never the labels of that claim: it would be taken for somebody's home.
inline constexpr std::string_view k_temporary_claim_value = "temporary-claim";
inline constexpr std::string_view k_for_uid_label = "truenas-migrate/for-uid";
inline constexpr std::string_view k_for_claim_annotation = "truenas-migrate/for-claim";  // "coder/home"

// Whether the strip list has this annotation of a claim: what the API server, the binder, the provisioner and
// kubectl have written about the old volume, and our own nudge. Everything else Terraform would miss
// (facts/coder.md §2.1: it ignores kubernetes.io hosts only).
bool is_stripped_annotation(std::string_view key);

// What a re-creation of this claim would lose or cannot carry, one clause each: foreign finalizers, owners, a
// VolumeAttributesClass (it names the old driver), a deletion that has begun, fields missing from the
// document. Empty: nothing.
std::vector<std::string> lost_by_swap(const json::Value& original);

// Finalizers that somebody else has put on it: the API server does not remove it while one is there.
std::vector<std::string> foreign_finalizers(const json::Value& claim);

// The claim to create under its own name, on `storage_class` and bound by name to `volume`: `original` (a
// whole document, as read from the cluster) without the strip list. Requests, limits, selector and modes are
// as written: each of them differing makes Terraform destroy the claim (facts/coder.md §6: G, L). The same
// function makes the way back. Kind::refused naming what lost_by_swap() names.
Result<json::Value> replacement_claim(const json::Value& original, std::string_view storage_class,
                                      std::string_view volume);
// The same under a throw-away name and for a volume that does not exist, to be created with dryRun=All while
// the original still has its name: quota, LimitRange and webhooks are asked. (A quota counts it in addition
// to the original.)
Result<json::Value> trial_claim(const json::Value& original, std::string_view storage_class);

// What the name of every temporary claim begins with.
inline constexpr std::string_view k_temporary_prefix = "truenas-migrate-";
// At most 63 characters, the same for the same claim (name and uid) every time, another for a later claim of
// the same name.
std::string temporary_claim_name(const json::Value& original);
// The claim that the new volume is provisioned by: the original's modes, `size` as its request, our labels
// only. Kind::refused when the original says no access mode, uid or name.
Result<json::Value> temporary_claim(const json::Value& original, std::string_view storage_class,
                                    std::string_view size);
// Label selector that finds the temporary claim of the claim with this uid.
std::string temporary_claim_selector(std::string_view original_uid);
// Whether `claim` is the temporary claim of `original`, by labels, not by name alone.
bool is_temporary_claim_of(const json::Value& claim, const json::Value& original);

struct ClaimDifference {
  std::string field;            // "spec.accessModes", "label com.coder.resource"
  std::string expected, found;  // JSON; "" for absent
  // A label or annotation more than expected: a webhook's. Terraform takes it off in place (rows J1, N2) and
  // nothing is lost by it.
  bool harmless = false;
};
// "spec.resources.requests is {"storage":"20Gi"} instead of {"storage":"10Gi"}".
std::string describe(const ClaimDifference& difference);
// Is `found`, whoever made it, the claim that we would have created? Quantities are compared by value, what
// the cluster itself adds does not count. Empty: yes.
std::vector<ClaimDifference> compare_claims(const json::Value& expected, const json::Value& found);

}  // namespace truenas::storage
