#include "lib/storage/class_document.h"

#include "lib/json/view.h"
#include "lib/kube/resource.h"

namespace truenas::storage {
namespace {

constexpr std::string_view k_beta_default_annotation = "storageclass.beta.kubernetes.io/is-default-class";

Result<Strings> strings_at(const json::View& view, std::string_view pointer) {
  TM_TRY_ASSIGN(const auto pairs, view.find_strings(pointer));
  return Strings(pairs.begin(), pairs.end());
}

Result<std::optional<std::vector<std::string>>> mount_options_of(const json::View& view) {
  std::optional<std::vector<std::string>> options;
  const json::Value* list = view.value().find("mountOptions");
  if (list == nullptr || list->is_null()) return options;
  options.emplace();
  TM_TRY_ASSIGN(const std::vector<json::View> items, view.get_items("/mountOptions"));
  for (const json::View& item : items) {
    TM_TRY_ASSIGN(std::string option, item.get_string(""));
    options->push_back(std::move(option));
  }
  return options;
}

}  // namespace

Result<StorageClass> read_storage_class(const json::Value& object, const std::string& source) {
  const json::View view(object, source);
  StorageClass result;
  TM_TRY_ASSIGN(result.name, view.get_string("/metadata/name"));
  TM_TRY_ASSIGN(result.provisioner, view.get_string("/provisioner"));
  TM_TRY_ASSIGN(result.parameters, strings_at(view, "/parameters"));
  TM_TRY_ASSIGN(result.reclaim_policy, view.find_string("/reclaimPolicy", "Delete"));
  TM_TRY_ASSIGN(result.binding_mode, view.find_string("/volumeBindingMode", "Immediate"));
  const json::Value* expansion = object.find("allowVolumeExpansion");
  if (expansion != nullptr && !expansion->is_null()) {
    TM_TRY_ASSIGN(result.expansion, view.get_boolean("/allowVolumeExpansion"));
  }
  TM_TRY_ASSIGN(result.mount_options, mount_options_of(view));
  if (const json::Value* topologies = object.find("allowedTopologies")) result.topologies = *topologies;
  TM_TRY_ASSIGN(result.labels, strings_at(view, "/metadata/labels"));
  TM_TRY_ASSIGN(result.annotations, strings_at(view, "/metadata/annotations"));
  const kube::Identity identity = kube::identity_of(object);
  result.uid = identity.uid;
  result.resource_version = identity.resource_version;
  result.is_default = is_default_class(object);
  result.terminating = !object.text_at("/metadata/deletionTimestamp").empty();
  result.object = object;
  return result;
}

bool is_default_class(const json::Value& object) {
  return kube::annotation_of(object, k_default_class_annotation) == "true" ||
         kube::annotation_of(object, k_beta_default_annotation) == "true";
}

json::Value without_server_fields(json::Value object) {
  for (const std::string_view field :
       {"uid", "resourceVersion", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds",
        "managedFields", "generation", "selfLink"}) {
    object.remove_at("/metadata/" + std::string(field));
  }
  return object;
}

}  // namespace truenas::storage
