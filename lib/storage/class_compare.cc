#include "lib/storage/class_compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "lib/base/text.h"
#include "lib/storage/class_parameters.h"
#include "lib/storage/class_wanted.h"

namespace truenas::storage {
namespace {

using Differences = std::vector<Difference>;
using MaybeText = std::optional<std::string>;

MaybeText find(const Strings& strings, const std::string& key) {
  const auto found = strings.find(key);
  return found == strings.end() ? MaybeText() : found->second;
}

// Whether this tool knows what the parameters mean.
bool speaks_truenas(const StorageClass& one) {
  return one.provisioner == k_truenas_driver ||
         std::any_of(one.parameters.begin(), one.parameters.end(), [](const auto& entry) {
           return entry.first.starts_with("nfs.") || entry.first == "protocol";
         });
}

void compare_parameters(const StorageClass& live, const StorageClass& wanted, Differences& differences) {
  std::set<std::string> keys;
  for (const auto& [key, value] : live.parameters) keys.insert(key);
  for (const auto& [key, value] : wanted.parameters) keys.insert(key);
  const bool known = speaks_truenas(live) && speaks_truenas(wanted);
  for (const std::string& key : keys) {
    const MaybeText now = find(live.parameters, key), then = find(wanted.parameters, key);
    if (now == then) continue;
    differences.push_back({"parameters." + key, now, then, true,
                           known ? consequence_of(key, live.parameters, wanted.parameters)
                                 : fmt::format("only driver {} knows what it means", wanted.provisioner)});
  }
}

void compare_policies(const StorageClass& live, const StorageClass& wanted, Differences& differences) {
  if (live.provisioner != wanted.provisioner) {
    differences.push_back(
        {"provisioner", live.provisioner, wanted.provisioner, true,
         fmt::format("new volumes are made by driver {}, not by {}", live.provisioner, wanted.provisioner)});
  }
  compare_parameters(live, wanted, differences);
  if (live.reclaim_policy != wanted.reclaim_policy) {
    differences.push_back(
        {"reclaimPolicy", live.reclaim_policy, wanted.reclaim_policy, true,
         live.reclaim_policy == "Delete"
             ? "deleting a claim destroys its dataset with all snapshots; as wanted it would stay"
             : "a deleted claim leaves its volume and dataset behind; as wanted both would go"});
  }
  if (live.binding_mode != wanted.binding_mode) {
    differences.push_back(
        {"volumeBindingMode", live.binding_mode, wanted.binding_mode, true,
         live.binding_mode == "Immediate"
             ? "a claim gets its volume at once; as wanted it would wait for its first Pod"
             : "a claim waits for its first Pod; as wanted it would get its volume at once"});
  }
}

MaybeText expansion_text(const StorageClass& one) {
  if (!one.expansion) return std::nullopt;
  return *one.expansion ? "true" : "false";
}

MaybeText options_text(const StorageClass& one) {
  return one.mount_options ? MaybeText(join(*one.mount_options, ",")) : std::nullopt;
}

MaybeText topologies_text(const StorageClass& one) {
  return one.topologies.is_null() ? MaybeText() : json::write(one.topologies);
}

void compare_mutable(const StorageClass& live, const StorageClass& wanted, Silence silence,
                     Differences& differences) {
  const bool exact = silence == Silence::is_none;
  if ((wanted.expansion || exact) && live.expansion.value_or(false) != wanted.expansion.value_or(false)) {
    differences.push_back({"allowVolumeExpansion", expansion_text(live), expansion_text(wanted), false,
                           live.expansion.value_or(false)
                               ? "claims can be enlarged; as wanted they could not"
                               : "claims cannot be enlarged; as wanted they could"});
  }
  const auto options = [](const StorageClass& one) {
    return one.mount_options.value_or(std::vector<std::string>());
  };
  if ((wanted.mount_options || exact) && options(live) != options(wanted)) {
    differences.push_back(
        {"mountOptions", options_text(live), options_text(wanted), false,
         "new volumes are mounted with other options; where there are any, they replace the "
         "parameter nfs.mountOptions"});
  }
  const auto topologies = [](const StorageClass& one) {
    return one.topologies.items().empty() ? json::Value() : one.topologies;
  };
  if ((!wanted.topologies.is_null() || exact) && !(topologies(live) == topologies(wanted))) {
    differences.push_back({"allowedTopologies", topologies_text(live), topologies_text(wanted), false,
                           "new volumes are made for other nodes"});
  }
}

void compare_marks(const StorageClass& live, const StorageClass& wanted, Differences& differences) {
  for (const auto& [key, value] : wanted.labels) {
    if (find(live.labels, key) == value) continue;
    differences.push_back(
        {"label " + key, find(live.labels, key), value, false, "selectors see another label"});
  }
  for (const auto& [key, value] : wanted.annotations) {
    if (find(live.annotations, key) == value || key == k_last_applied_annotation) continue;
    const bool decides = key == k_default_class_annotation;
    differences.push_back({"annotation " + key, find(live.annotations, key), value, false,
                           decides ? "which class a claim without storageClassName gets"
                                   : "tools that read it see another value"});
  }
}

Strings merged(const StorageClass* live, const Strings& wanted, Strings StorageClass::*marks) {
  Strings all = live == nullptr ? Strings() : live->*marks;
  for (const auto& [key, value] : wanted) all[key] = value;
  return all;
}

void set_marks(json::Value& object, std::string_view pointer, const Strings& marks) {
  object.remove_at(pointer);
  if (marks.empty()) return;
  json::Value map = json::Value::object();
  for (const auto& [key, value] : marks) map.set(key, value);
  object.set_at(pointer, std::move(map));
}

void take_missing(json::Value& object, const json::Value& model) {
  for (const std::string_view field : {"mountOptions", "allowVolumeExpansion", "allowedTopologies"}) {
    const json::Value* value = model.find(field);
    if (value != nullptr && object.find(field) == nullptr) object.set(field, *value);
  }
}

// Whether a fieldsV1 tree speaks of the field of a difference.
bool owns(const json::Value& fields, const Difference& difference) {
  for (const auto& [prefix, place] :
       {std::pair{"label ", "labels"}, std::pair{"annotation ", "annotations"}}) {
    if (!difference.field.starts_with(prefix)) continue;
    const std::string key = difference.field.substr(std::string_view(prefix).size());
    const json::Value* marks = fields.at(fmt::format("/f:metadata/f:{}", place));
    return marks != nullptr && marks->find("f:" + key) != nullptr;
  }
  return fields.find("f:" + difference.field) != nullptr;
}

}  // namespace

Differences compare_classes(const StorageClass& live, const StorageClass& wanted, Silence silence) {
  Differences differences;
  compare_policies(live, wanted, differences);
  compare_mutable(live, wanted, silence, differences);
  compare_marks(live, wanted, differences);
  return differences;
}

bool has_immutable(const Differences& differences) {
  return std::any_of(differences.begin(), differences.end(),
                     [](const Difference& one) { return one.immutable; });
}

std::vector<std::string> kept_fields(const StorageClass& live, const StorageClass& wanted) {
  std::vector<std::string> kept;
  if (live.expansion && !wanted.expansion) kept.emplace_back("allowVolumeExpansion");
  if (live.mount_options && !wanted.mount_options) kept.emplace_back("mountOptions");
  if (!live.topologies.is_null() && wanted.topologies.is_null()) kept.emplace_back("allowedTopologies");
  for (const auto& [key, value] : live.labels) {
    if (!wanted.labels.contains(key)) kept.push_back("label " + key);
  }
  for (const auto& [key, value] : live.annotations) {
    if (!wanted.annotations.contains(key) && key != k_last_applied_annotation)
      kept.push_back("annotation " + key);
  }
  return kept;
}

json::Value desired_class(const StorageClass* live, const StorageClass& wanted, Silence silence) {
  json::Value object = without_server_fields(wanted.object);
  // What is put back as it was still leaves other people's marks where they are.
  set_marks(object, "/metadata/labels", merged(live, wanted.labels, &StorageClass::labels));
  Strings annotations = merged(live, wanted.annotations, &StorageClass::annotations);
  if (live != nullptr || silence == Silence::keeps) annotations.erase(std::string(k_last_applied_annotation));
  set_marks(object, "/metadata/annotations", annotations);
  if (live != nullptr && silence == Silence::keeps) take_missing(object, live->object);
  return object;
}

json::Value class_beside(const StorageClass* model, const json::Value& wanted, std::string_view name) {
  json::Value object = without_server_fields(wanted);
  object.set_at("/metadata/name", name);
  if (model != nullptr) take_missing(object, model->object);
  return object;
}

std::vector<std::string> other_managers(const StorageClass& live, const Differences& differences,
                                        std::string_view own) {
  std::set<std::string> names;
  for (const json::Value& entry : live.object.items_at("/metadata/managedFields")) {
    const std::string& manager = entry.text_at("/manager");
    const json::Value* fields = entry.find("fieldsV1");
    if (fields == nullptr || (manager == own && entry.text_at("/operation") == "Apply")) continue;
    const bool concerned = std::any_of(
        differences.begin(), differences.end(),
        [&](const Difference& difference) { return !difference.immutable && owns(*fields, difference); });
    if (concerned) names.insert(manager);
  }
  return {names.begin(), names.end()};
}

}  // namespace truenas::storage
