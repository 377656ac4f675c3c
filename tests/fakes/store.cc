#include "tests/fakes/store.h"

#include <fmt/format.h>

#include "lib/base/clock.h"
#include "lib/base/text.h"

namespace truenas::fakes {
namespace {

bool has_generation(const Key& key) {
  return key.group == "apps" || key.group == "batch" || key.group == "postgresql.cnpg.io";
}

bool same_but_version(const json::Value& a, json::Value b) {
  b.set_at("/metadata/resourceVersion", a.text_at("/metadata/resourceVersion"));
  return a == b;
}

bool is_deleted(const json::Value& object) {
  return object.at("/metadata/deletionTimestamp") != nullptr;
}

}  // namespace

Key key_of(const kube::ResourceType& type, std::string_view ns, std::string_view name) {
  return {std::string(type.group), std::string(type.plural), type.namespaced ? std::string(ns) : "",
          std::string(name)};
}

const json::Value* Store::find(const Key& key) const {
  const auto found = objects_.find(key);
  return found != objects_.end() ? &found->second : nullptr;
}

std::vector<Key> Store::keys(std::string_view group, std::string_view plural, std::string_view ns) const {
  std::vector<Key> keys;
  for (auto at = objects_.lower_bound(Key{std::string(group), std::string(plural), "", ""});
       at != objects_.end(); ++at) {
    if (at->first.group != group || at->first.plural != plural) break;
    if (ns.empty() || at->first.ns == ns) keys.push_back(at->first);
  }
  return keys;
}

std::vector<const json::Value*> Store::list(std::string_view group, std::string_view plural,
                                            std::string_view ns) const {
  std::vector<const json::Value*> found;
  for (const Key& key : keys(group, plural, ns)) found.push_back(&objects_.at(key));
  return found;
}

std::string Store::new_uid() {
  const std::string digits = sha256_hex(fmt::format("uid {}", ++uids_));
  return fmt::format("{}-{}-4{}-a{}-{}", digits.substr(0, 8), digits.substr(8, 4), digits.substr(12, 3),
                     digits.substr(15, 3), digits.substr(18, 12));
}

std::string Store::timestamp() const {
  return format_time(now ? now() : std::chrono::microseconds(1795354114000000));
}

void Store::note(std::string type, const Key& key, const json::Value& object) {
  changes_.push_back({version_, std::move(type), key, object});
}

const json::Value& Store::insert(const Key& key, json::Value object) {
  ++version_;
  object.set_at("/metadata/name", key.name);
  if (!key.ns.empty()) object.set_at("/metadata/namespace", key.ns);
  object.set_at("/metadata/uid", new_uid());
  object.set_at("/metadata/resourceVersion", std::to_string(version_));
  object.set_at("/metadata/creationTimestamp", timestamp());
  if (has_generation(key)) object.set_at("/metadata/generation", 1);
  const json::Value& stored = objects_.insert_or_assign(key, std::move(object)).first->second;
  note("ADDED", key, stored);
  return stored;
}

const json::Value& Store::replace(const Key& key, json::Value object) {
  json::Value& present = objects_.at(key);
  if (has_generation(key)) {
    const json::Value* before = present.find("spec");
    const json::Value* after = object.find("spec");
    const bool same = (before == nullptr) == (after == nullptr) && (before == nullptr || *before == *after);
    object.set_at("/metadata/generation", present.integer_at("/metadata/generation", 1) + (same ? 0 : 1));
  }
  if (same_but_version(present, object)) return present;
  ++version_;
  object.set_at("/metadata/resourceVersion", std::to_string(version_));
  present = std::move(object);
  note("MODIFIED", key, present);
  return present;
}

void Store::update(const Key& key, const std::function<void(json::Value&)>& edit) {
  const json::Value* present = find(key);
  if (present == nullptr) return;
  json::Value copy = *present;
  edit(copy);
  replace(key, std::move(copy));
}

void Store::erase(const Key& key) {
  const auto found = objects_.find(key);
  if (found == objects_.end()) return;
  ++version_;
  json::Value object = std::move(found->second);
  objects_.erase(found);
  object.set_at("/metadata/resourceVersion", std::to_string(version_));
  note("DELETED", key, object);
}

void Store::mark_deleted(const Key& key) {
  const json::Value* object = find(key);
  if (object == nullptr) return;
  const bool waits_for_kubelet = key.plural == "pods" && !object->text_at("/spec/nodeName").empty() &&
                                 object->text_at("/status/phase") != "Succeeded" &&
                                 object->text_at("/status/phase") != "Failed";
  if (object->items_at("/metadata/finalizers").empty() && !waits_for_kubelet) {
    erase(key);
    return;
  }
  if (is_deleted(*object)) return;
  update(key, [&](json::Value& copy) {
    copy.set_at("/metadata/deletionTimestamp", timestamp());
    copy.set_at("/metadata/deletionGracePeriodSeconds", waits_for_kubelet ? 30 : 0);
  });
}

void Store::finish_deletion(const Key& key) {
  const json::Value* object = find(key);
  if (object == nullptr || !is_deleted(*object)) return;
  if (object->items_at("/metadata/finalizers").empty()) erase(key);
}

void Store::compact() {
  compacted_ = version_;
  changes_.clear();
}

}  // namespace truenas::fakes
