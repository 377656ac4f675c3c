#include "lib/storage/volume_patch.h"

#include <fmt/format.h>

#include "lib/base/text.h"
#include "lib/kube/resource.h"
#include "lib/storage/cutover_record.h"

namespace truenas::storage {
namespace {

using json::Value;

constexpr std::string_view k_policy = "/spec/persistentVolumeReclaimPolicy";

Value operation(std::string_view op, std::string_view path, Value value) {
  return Value::object({{"op", op}, {"path", path}, {"value", std::move(value)}});
}

}  // namespace

Value retain_patch(std::string_view uid) {
  return Value::array({operation("test", "/metadata/uid", uid), operation("add", k_policy, "Retain")});
}

Value keep_patch(std::string_view uid, std::string_view original_policy, std::string_view kept_for) {
  return Value::object(
      {{"metadata",
        Value::object(
            {{"uid", uid},
             {"labels", Value::object({{std::string(k_managed_by_label), k_managed_by_value}})},
             {"annotations", Value::object({{std::string(k_original_policy_annotation), original_policy},
                                            {std::string(k_kept_for_annotation), kept_for}})}})},
       {"spec", Value::object({{"persistentVolumeReclaimPolicy", "Retain"}})}});
}

std::string original_policy_of(const Value& volume) {
  const std::string& noted = kube::annotation_of(volume, k_original_policy_annotation);
  return noted.empty() ? volume.text_at(k_policy) : noted;
}

Value claim_ref_patch(std::string_view uid, std::string_view from_claim_uid, std::string_view ns,
                      std::string_view name) {
  const Value reference = Value::object({{"apiVersion", kube::api_version(kube::k_claim)},
                                         {"kind", kube::k_claim.kind},
                                         {"namespace", ns},
                                         {"name", name}});
  return Value::array({operation("test", "/metadata/uid", uid), operation("test", k_policy, "Retain"),
                       operation("test", "/spec/claimRef/uid", from_claim_uid),
                       operation("replace", "/spec/claimRef", reference)});
}

Result<Value> policy_patch(const Volume& volume, std::string_view policy,
                           const std::vector<DatasetUser>& users) {
  if (volume.uid.empty() || policy.empty()) {
    return make_error(Kind::bug, "a reclaim policy needs a volume's uid and a name");
  }
  if (policy != "Retain" && !users.empty()) {
    std::vector<std::string> clauses;
    for (const DatasetUser& user : users) clauses.push_back(describe(user));
    return make_error(Kind::refused,
                      fmt::format("cannot set the reclaim policy of persistentvolume {} to {}: {}",
                                  volume.name, policy, join(clauses, "; ")));
  }
  return Value::array({operation("test", "/metadata/uid", volume.uid), operation("test", k_policy, "Retain"),
                       operation("replace", k_policy, policy)});
}

Value unmark_patch(std::string_view uid) {
  return Value::object(
      {{"metadata",
        Value::object({{"uid", uid},
                       {"labels", Value::object({{std::string(k_managed_by_label), nullptr}})},
                       {"annotations", Value::object({{std::string(k_original_policy_annotation), nullptr},
                                                      {std::string(k_kept_for_annotation), nullptr},
                                                      {std::string(k_cutover_annotation), nullptr}})}})}});
}

}  // namespace truenas::storage
