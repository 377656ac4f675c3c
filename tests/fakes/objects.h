#pragma once
// Small readers and writers of Kubernetes objects that the models share. Pure.

#include <string>
#include <string_view>

#include "lib/json/value.h"
#include "tests/fakes/store.h"

namespace truenas::fakes {

inline bool is_being_deleted(const json::Value& object) {
  return object.at("/metadata/deletionTimestamp") != nullptr;
}
inline const std::string& uid_of(const json::Value& object) {
  return object.text_at("/metadata/uid");
}
inline const std::string& name_of(const json::Value& object) {
  return object.text_at("/metadata/name");
}

Key claim_key(std::string_view ns, std::string_view name);
Key volume_key(std::string_view name);
Key pod_key(std::string_view ns, std::string_view name);

// Sets a condition of that type in status.conditions.
void set_condition(json::Value& object, std::string_view type, bool holds, std::string_view reason = "");
bool has_condition(const json::Value& object, std::string_view type);
bool remove_finalizer(json::Value& object, std::string_view finalizer);
bool has_finalizer(const json::Value& object, std::string_view finalizer);
// {"apiVersion", "kind", "name", "uid", "controller": true} of the owner.
json::Value owner_reference(const json::Value& owner);
// Whether the owner's uid is that of the controller of `object`.
bool is_controlled_by(const json::Value& object, std::string_view uid);
// True if the Pod mounts the claim and may still write to it.
bool mounts(const json::Value& pod, std::string_view claim);
// Path on the NAS that a volume stands for, "" if it does not say.
std::string dataset_path(const json::Value& volume);
// Records an Event on the object, or counts one up that says the same.
void record_event(Store& store, const json::Value& object, std::string_view type, std::string_view reason,
                  std::string_view message);

}  // namespace truenas::fakes
