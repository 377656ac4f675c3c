#include "tests/fakes/objects.h"

#include <fmt/format.h>

#include "lib/base/text.h"

namespace truenas::fakes {

using json::Value;

Key claim_key(std::string_view ns, std::string_view name) {
  return key_of(kube::k_claim, ns, name);
}
Key volume_key(std::string_view name) {
  return key_of(kube::k_volume, "", name);
}
Key pod_key(std::string_view ns, std::string_view name) {
  return key_of(kube::k_pod, ns, name);
}

void set_condition(Value& object, std::string_view type, bool holds, std::string_view reason) {
  Value* conditions = object.at("/status/conditions");
  if (conditions == nullptr) conditions = &object.set_at("/status/conditions", Value::array());
  for (std::size_t i = 0; i < conditions->items().size(); ++i) {
    if (conditions->items()[i].text_at("/type") != type) continue;
    conditions->set_at(fmt::format("/{}/status", i), holds ? "True" : "False");
    if (!reason.empty()) conditions->set_at(fmt::format("/{}/reason", i), reason);
    return;
  }
  Value condition = Value::object({{"type", type}, {"status", holds ? "True" : "False"}});
  if (!reason.empty()) condition.set("reason", reason);
  conditions->push_back(std::move(condition));
}

bool has_condition(const Value& object, std::string_view type) {
  for (const Value& condition : object.items_at("/status/conditions")) {
    if (condition.text_at("/type") == type) return condition.text_at("/status") == "True";
  }
  return false;
}

bool has_finalizer(const Value& object, std::string_view finalizer) {
  for (const Value& present : object.items_at("/metadata/finalizers")) {
    if (present.text() == finalizer) return true;
  }
  return false;
}

bool remove_finalizer(Value& object, std::string_view finalizer) {
  if (!has_finalizer(object, finalizer)) return false;
  Value kept = Value::array();
  for (const Value& present : object.items_at("/metadata/finalizers")) {
    if (present.text() != finalizer) kept.push_back(present);
  }
  if (kept.items().empty()) {
    object.remove_at("/metadata/finalizers");
  } else {
    object.set_at("/metadata/finalizers", kept);
  }
  return true;
}

Value owner_reference(const Value& owner) {
  return Value::object({{"apiVersion", owner.text_at("/apiVersion")},
                        {"kind", owner.text_at("/kind")},
                        {"name", name_of(owner)},
                        {"uid", uid_of(owner)},
                        {"controller", true}});
}

bool is_controlled_by(const Value& object, std::string_view uid) {
  for (const Value& owner : object.items_at("/metadata/ownerReferences")) {
    if (owner.boolean_at("/controller") && owner.text_at("/uid") == uid) return true;
  }
  return false;
}

bool mounts(const Value& pod, std::string_view claim) {
  const std::string& phase = pod.text_at("/status/phase");
  if (phase == "Succeeded" || phase == "Failed") return false;
  for (const Value& volume : pod.items_at("/spec/volumes")) {
    if (volume.text_at("/persistentVolumeClaim/claimName") == claim) return true;
  }
  return false;
}

std::string dataset_path(const Value& volume) {
  for (std::string_view pointer :
       {"/spec/csi/volumeAttributes/share", "/spec/csi/volumeAttributes/nfsPath", "/spec/nfs/path"}) {
    if (!volume.text_at(pointer).empty()) return volume.text_at(pointer);
  }
  // The driver asks the NAS for the mountpoint of the dataset that the handle names.
  if (volume.text_at("/spec/csi/driver") == "csi.truenas.io")
    return "/mnt/" + volume.text_at("/spec/csi/volumeHandle");
  return {};
}

void record_event(Store& store, const Value& object, std::string_view type, std::string_view reason,
                  std::string_view message) {
  const std::string& ns = object.text_at("/metadata/namespace");
  const std::string digest =
      sha256_hex(fmt::format("{} {} {}", uid_of(object), reason, message)).substr(0, 16);
  const Key key = key_of(kube::k_event, ns.empty() ? "default" : ns, name_of(object) + "." + digest);
  if (store.find(key) != nullptr) {
    store.update(key, [&](Value& event) {
      event.set("count", event.integer_at("/count", 1) + 1);
      event.set("lastTimestamp", store.timestamp());
    });
    return;
  }
  store.insert(key, Value::object({{"apiVersion", "v1"},
                                   {"kind", "Event"},
                                   {"metadata", Value::object()},
                                   {"involvedObject", Value::object({{"kind", object.text_at("/kind")},
                                                                     {"namespace", ns},
                                                                     {"name", name_of(object)},
                                                                     {"uid", uid_of(object)}})},
                                   {"type", type},
                                   {"reason", reason},
                                   {"message", message},
                                   {"count", 1},
                                   {"firstTimestamp", store.timestamp()},
                                   {"lastTimestamp", store.timestamp()}}));
}

}  // namespace truenas::fakes
