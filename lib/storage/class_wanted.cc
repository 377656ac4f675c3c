#include "lib/storage/class_wanted.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/text.h"
#include "lib/json/view.h"
#include "lib/storage/class_document.h"
#include "lib/storage/class_parameters.h"

namespace truenas::storage {
namespace {

using json::Value;

const std::vector<std::string> k_fields = {"apiVersion",        "kind",         "metadata",
                                           "provisioner",       "parameters",   "reclaimPolicy",
                                           "volumeBindingMode", "mountOptions", "allowVolumeExpansion",
                                           "allowedTopologies"};
const std::vector<std::string> k_policies = {"Delete", "Retain"};
const std::vector<std::string> k_modes = {"Immediate", "WaitForFirstConsumer"};

bool one_of(const std::vector<std::string>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

Error wrong(const std::string& source, std::string what) {
  return make_error(Kind::format, fmt::format("{}: {}", source, std::move(what)));
}

Error with_nearest(Error error, const std::string& word, const std::vector<std::string>& words) {
  if (const auto near = nearest(word, words)) error.hints.push_back(fmt::format("did you mean {}?", *near));
  return error;
}

bool is_class_name(std::string_view name) {
  const auto edge = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return !name.empty() && name.size() <= 253 && edge(name.front()) && edge(name.back()) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return edge(c) || c == '-' || c == '.'; });
}

// YAML makes 0777 the number 511 and 0 no text: the most likely mistake in such a file.
Result<void> check_strings(const Value& object, std::string_view pointer, const std::string& source) {
  const Value* values = object.at(pointer);
  if (values == nullptr || values->is_null()) return {};
  if (!values->is_object())
    return wrong(source, fmt::format("{} must be a map of strings", pointer.substr(1)));
  for (const auto& [key, value] : values->members()) {
    if (value.is_string()) continue;
    const std::string spelled =
        value.type() == Value::Type::number ? std::string(value.spelled()) : json::write(value);
    return wrong(source,
                 fmt::format("{}: {} is {} and must be a string", pointer.substr(1), quote(key), spelled))
        .with_hint(fmt::format("write it in double quotes, as {}: \"…\"", printable(key)));
  }
  return {};
}

Result<void> check_metadata(const Value& object, const std::string& source) {
  static const std::vector<std::string> known = {"name", "labels", "annotations"};
  const Value* metadata = object.find("metadata");
  if (metadata == nullptr || !metadata->is_object()) return wrong(source, "metadata.name is missing");
  for (const auto& [key, value] : metadata->members()) {
    if (key == "namespace") return wrong(source, "metadata.namespace: a StorageClass is in no namespace");
    if (!one_of(known, key)) {
      return with_nearest(wrong(source, fmt::format("metadata.{} is not supported", printable(key))), key,
                          known);
    }
  }
  const std::string& name = metadata->text_at("/name");
  if (!is_class_name(name)) {
    return wrong(source, fmt::format("metadata.name {} is no name for a StorageClass", quote(name)));
  }
  TM_TRY(check_strings(object, "/metadata/labels", source));
  return check_strings(object, "/metadata/annotations", source);
}

Result<void> check_word(const Value& object, std::string_view field, const std::vector<std::string>& words,
                        const std::string& source) {
  const Value* value = object.find(field);
  if (value == nullptr || one_of(words, value->text())) return {};
  const std::string found = value->is_string() ? quote(value->text()) : json::write(*value);
  return with_nearest(wrong(source, fmt::format("{} is {}: it is {}", field, found, join(words, " or "))),
                      value->text(), words);
}

Result<void> check_class(const Value& object, const std::string& source) {
  for (const auto& [key, value] : object.members()) {
    if (!one_of(k_fields, key)) {
      return with_nearest(wrong(source, fmt::format("a StorageClass has no field {}", quote(key))), key,
                          k_fields);
    }
  }
  TM_TRY(check_metadata(object, source));
  if (object.text_at("/provisioner").empty()) return wrong(source, "provisioner is missing");
  TM_TRY(check_strings(object, "/parameters", source));
  TM_TRY(check_word(object, "reclaimPolicy", k_policies, source));
  TM_TRY(check_word(object, "volumeBindingMode", k_modes, source));
  const Value* topologies = object.find("allowedTopologies");
  if (topologies != nullptr && !topologies->is_array())
    return wrong(source, "allowedTopologies must be a list");
  return {};
}

Result<void> set_field(Value& object, const std::string& key, const std::string& value) {
  if (key == "reclaimPolicy") {
    object.set(key, value);
    return check_word(object, key, k_policies, "--set");
  }
  if (key == "volumeBindingMode") {
    object.set(key, value);
    return check_word(object, key, k_modes, "--set");
  }
  if (key == "allowVolumeExpansion") {
    if (value != "true" && value != "false") {
      return wrong("--set", fmt::format("allowVolumeExpansion is {}: it is true or false", quote(value)));
    }
    object.set(key, value == "true");
    return {};
  }
  if (key == "provisioner" && value.empty()) return wrong("--set", "provisioner is empty");
  object.set(key, value);
  return {};
}

}  // namespace

Value runbook_class(std::string_view name) {
  Value object = Value::object({{"apiVersion", "storage.k8s.io/v1"},
                                {"kind", "StorageClass"},
                                {"metadata", Value::object({{"name", name}})},
                                {"provisioner", k_truenas_driver}});
  object.set("parameters", Value::object({{"protocol", "nfs"},
                                          {"pool", "SAS"},
                                          {"compression", "LZ4"},
                                          {"nfs.mapAllUser", ""},
                                          {"nfs.mapAllGroup", ""},
                                          {"nfs.datasetPermissionsMode", "0777"},
                                          {"nfs.datasetPermissionsUser", "0"},
                                          {"nfs.datasetPermissionsGroup", "0"}}));
  object.set("reclaimPolicy", "Delete");
  object.set("volumeBindingMode", "Immediate");
  object.set("allowVolumeExpansion", true);
  return object;
}

Result<Value> with_settings(Value object, const std::vector<std::string>& settings) {
  static const std::vector<std::string> fields = {"provisioner", "reclaimPolicy", "volumeBindingMode",
                                                  "allowVolumeExpansion"};
  for (const std::string& setting : settings) {
    const std::size_t equals = setting.find('=');
    const bool removal = equals == std::string::npos && setting.ends_with('-');
    if ((equals == std::string::npos && !removal) || equals == 0 || setting == "-") {
      return make_error(Kind::usage, fmt::format("--set wants KEY=VALUE, or KEY- for an absent key, got {}",
                                                 quote(setting)));
    }
    const std::string key = setting.substr(0, removal ? setting.size() - 1 : equals);
    if (one_of(fields, key) && !removal) {
      const Result<void> set = set_field(object, key, setting.substr(equals + 1));
      if (!set.ok()) return make_error(Kind::usage, set.error().what, set.error().hints);
      continue;
    }
    if (!is_known_parameter(key)) {
      std::vector<std::string> words = known_parameters();
      words.insert(words.end(), fields.begin(), fields.end());
      Error error = make_error(
          Kind::usage,
          fmt::format("--set {}: no build of the TrueNAS CSI driver knows this parameter", quote(key)));
      return with_nearest(std::move(error), key, words)
          .with_hint("drivers ignore unknown keys silently; to set one all the same, use --from-file");
    }
    Value* parameters = object.find("parameters");
    if (parameters == nullptr) parameters = &object.set("parameters", Value::object());
    if (removal) {
      parameters->remove(key);
    } else {
      parameters->set(key, setting.substr(equals + 1));
    }
  }
  return object;
}

Result<Value> parse_class_file(std::string_view text, const std::string& source) {
  TM_TRY_ASSIGN(Value object, json::parse_yaml(text, source));
  if (object.is_null()) return wrong(source, "there is no document in it");
  if (!object.is_object()) return wrong(source, "one StorageClass document is wanted");
  const std::string& kind = object.text_at("/kind");
  if (kind == "List" || kind == "StorageClassList") {
    return wrong(source, "it is a list; one StorageClass document is wanted");
  }
  if (kind != "StorageClass") {
    return wrong(source, kind.empty() ? "kind is missing; a StorageClass is wanted"
                                      : fmt::format("it is a {}; a StorageClass is wanted", printable(kind)));
  }
  const std::string& version = object.text_at("/apiVersion");
  if (version != "storage.k8s.io/v1") {
    return wrong(source, fmt::format("apiVersion is {}; storage.k8s.io/v1 is wanted", quote(version)));
  }
  object = without_server_fields(std::move(object));
  for (const std::string_view field : {"parameters", "mountOptions", "allowedTopologies",
                                       "allowVolumeExpansion", "reclaimPolicy", "volumeBindingMode"}) {
    const Value* value = object.find(field);
    if (value != nullptr && value->is_null()) object.remove(field);
  }
  object.remove_at("/metadata/annotations/" + json::pointer_token(k_last_applied_annotation));
  TM_TRY(check_class(object, source));
  TM_TRY(read_storage_class(object, source));
  return object;
}

}  // namespace truenas::storage
