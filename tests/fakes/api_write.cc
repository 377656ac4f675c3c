#include <fmt/format.h>

#include "tests/fakes/api_target.h"
#include "tests/fakes/claim_admission.h"
#include "tests/fakes/objects.h"
#include "tests/fakes/status_reply.h"

namespace truenas::fakes {
namespace {

using json::Value;

std::string header_of(const http::Request& request, std::string_view name) {
  for (const auto& [key, value] : request.headers) {
    if (key == name) return value;
  }
  return {};
}

// Copies the member at `pointer` of `from` into `to`, or removes it there.
void restore(Value& to, const Value& from, std::string_view pointer) {
  const Value* value = from.at(pointer);
  if (value != nullptr) {
    to.set_at(pointer, *value);
  } else {
    to.remove_at(pointer);
  }
}

bool is_set(const Value& object, std::string_view pointer) {
  const Value* value = object.at(pointer);
  return value != nullptr && !value->is_null() && !value->text().empty();
}

http::Response immutable_uid(const KnownResource& resource, const std::string& name, const std::string& uid) {
  return invalid(resource.group, resource.kind, name, "metadata.uid",
                 fmt::format("Invalid value: \"{}\": field is immutable", uid));
}

std::string api_version(const KnownResource& resource) {
  return resource.group.empty() ? resource.version : resource.group + "/" + resource.version;
}

}  // namespace

http::Response Api::store_new(const Target& target, Value object) {
  const Key& key = target.key;
  if (object.text_at("/apiVersion") != api_version(target.resource) ||
      object.text_at("/kind") != target.resource.kind) {
    return bad_request(
        fmt::format("{} in version \"{}\" cannot be handled as a {}: apiVersion or kind do not match",
                    object.text_at("/kind"), object.text_at("/apiVersion"), target.resource.kind));
  }
  if (!is_object_name(key.name)) {
    return invalid(key.group, target.resource.kind, key.name, "metadata.name",
                   "Invalid value: a lowercase RFC 1123 subdomain must consist of lower case alphanumeric "
                   "characters, '-' or '.'");
  }
  if (target.resource.namespaced) {
    const Value* space = store_.find(Key{"", "namespaces", "", key.ns});
    if (space == nullptr) return not_found("", "namespaces", key.ns);
    if (space->at("/metadata/deletionTimestamp") != nullptr) {
      return failure(
          403, "Forbidden",
          fmt::format("{} \"{}\" is forbidden: unable to create new content in namespace {} because it is "
                      "being terminated",
                      qualified(key.group, key.plural), key.name, key.ns),
          key.group, key.plural, key.name);
    }
  }
  if (store_.find(key) != nullptr) return already_exists(key.group, key.plural, key.name);
  object = with_defaults(target.resource, std::move(object));
  if (key.plural == "persistentvolumeclaims") set_default_class(store_, object);
  if (target.dry_run()) {
    object.set_at("/metadata/uid", store_.new_uid());
    object.set_at("/metadata/creationTimestamp", store_.timestamp());
    return json_reply(201, object);
  }
  return json_reply(201, store_.insert(key, std::move(object)));
}

http::Response Api::create(const http::Request& request, const Target& target) {
  auto body = json::parse(request.body, "body");
  if (!body.ok()) return bad_request(body.error().what);
  if (is_set(body.value(), "/metadata/resourceVersion")) {
    return bad_request("resourceVersion should not be set on objects to be created");
  }
  Key key = target.key;
  if (target.resource.namespaced && key.ns.empty()) return unknown_resource();
  if (is_set(body.value(), "/metadata/namespace") && body->text_at("/metadata/namespace") != key.ns) {
    return bad_request(
        "the namespace of the provided object does not match the namespace sent on the request");
  }
  key.name = body->text_at("/metadata/name");
  if (key.name.empty() && is_set(body.value(), "/metadata/generateName")) {
    key.name = body->text_at("/metadata/generateName") + store_.new_uid().substr(0, 5);
  }
  return store_new(Target{target.resource, target.path, key}, std::move(body).value());
}

http::Response Api::patch(const http::Request& request, const Target& target) {
  const Key& key = target.key;
  auto body = json::parse_yaml(request.body, "body");
  if (!body.ok()) return bad_request(body.error().what);
  const std::string type = header_of(request, "Content-Type");
  const Value* before = store_.find(key);
  if (type == "application/apply-patch+yaml") {
    if (target.path.parameter("fieldManager").empty()) {
      return failure(422, "Invalid",
                     "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value");
    }
    if (before == nullptr && target.path.subresource.empty()) return store_new(target, body.value());
  }
  if (before == nullptr) return not_found(key.group, key.plural, key.name);
  if (type == "application/json-patch+json") {
    auto after = json::apply_json_patch(*before, body.value());
    if (after.ok()) return store_update(target, *before, std::move(after).value());
    return failure(422, "Invalid", "the server rejected our request due to an error in our request");
  }
  const bool strategic = type == "application/strategic-merge-patch+json";
  if (strategic && key.group == "postgresql.cnpg.io") {
    return failure(415, "UnsupportedMediaType",
                   "the body of the request was in an unknown format - accepted media types include: "
                   "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml");
  }
  if (!strategic && type != "application/merge-patch+json" && type != "application/apply-patch+yaml") {
    return failure(415, "UnsupportedMediaType", "the body of the request was in an unknown format");
  }
  return store_update(target, *before, json::apply_merge_patch(*before, body.value()));
}

http::Response Api::replace(const http::Request& request, const Target& target) {
  const Key& key = target.key;
  auto body = json::parse(request.body, "body");
  if (!body.ok()) return bad_request(body.error().what);
  const Value* before = store_.find(key);
  if (before == nullptr) return not_found(key.group, key.plural, key.name);
  if (!is_set(body.value(), "/metadata/resourceVersion")) {
    restore(body.value(), *before, "/metadata/resourceVersion");
  }
  if (!is_set(body.value(), "/metadata/uid")) restore(body.value(), *before, "/metadata/uid");
  return store_update(target, *before, std::move(body).value(), true);
}

http::Response Api::store_update(const Target& target, const Value& before, Value after, bool replaces) {
  const Key& key = target.key;
  if (after.text_at("/metadata/resourceVersion") != before.text_at("/metadata/resourceVersion")) {
    return conflict(key.group, key.plural, key.name, k_modified);
  }
  // A PUT takes the uid for a precondition; a PATCH has merely tried to change a field.
  if (after.text_at("/metadata/uid") != before.text_at("/metadata/uid")) {
    const std::string& uid = after.text_at("/metadata/uid");
    if (!replaces) return immutable_uid(target.resource, key.name, uid);
    return conflict(key.group, key.plural, key.name,
                    fmt::format("Precondition failed: UID in precondition: {}, UID in object meta: {}", uid,
                                uid_of(before)));
  }
  if (after.text_at("/metadata/name") != key.name) {
    return bad_request("the name of the object does not match the name on the URL");
  }
  if (target.path.subresource == "status") {
    Value whole = before;
    restore(whole, after, "/status");
    after = std::move(whole);
  } else if (target.resource.has_status) {
    restore(after, before, "/status");
  }
  for (std::string_view fixed : {"/apiVersion", "/kind", "/metadata/namespace", "/metadata/creationTimestamp",
                                 "/metadata/deletionTimestamp", "/metadata/generation"}) {
    restore(after, before, fixed);
  }
  if (auto refusal = forbidden_change(target.resource, before, after)) return *refusal;
  if (key.plural == "persistentvolumeclaims") {
    if (auto refusal = refuse_growth(store_, before, after)) return *refusal;
  }
  if (target.dry_run()) return json_reply(200, after);
  const http::Response reply = json_reply(200, store_.replace(key, std::move(after)));
  store_.finish_deletion(key);
  return reply;
}

http::Response Api::remove(const http::Request& request, const Target& target) {
  const Key& key = target.key;
  Value options = Value::object();
  bool dry_run = target.dry_run();
  if (!request.body.empty()) {
    auto body = json::parse(request.body, "body");
    if (!body.ok()) return bad_request(body.error().what);
    options = std::move(body).value();
    // D2: with a body the query is not looked at.
    dry_run = options.text_at("/dryRun/0") == "All";
  }
  const Value* object = store_.find(key);
  if (object == nullptr) return not_found(key.group, key.plural, key.name);
  for (const auto& [option, field, word] :
       {std::tuple("/preconditions/uid", "/metadata/uid", "UID"),
        std::tuple("/preconditions/resourceVersion", "/metadata/resourceVersion", "ResourceVersion")}) {
    const std::string& wanted = options.text_at(option);
    if (wanted.empty() || wanted == object->text_at(field)) continue;
    return conflict(
        key.group, key.plural, key.name,
        fmt::format("the {} in the precondition ({}) does not match the {} in record ({}). The object "
                    "might have been deleted and then recreated",
                    word, wanted, word, object->text_at(field)));
  }
  const Value gone = *object;
  if (!dry_run) {
    if (options.text_at("/propagationPolicy") == "Orphan") orphan_dependents(gone.text_at("/metadata/uid"));
    if (options.integer_at("/gracePeriodSeconds", -1) == 0 && key.plural == "pods") {
      store_.erase(key);
    } else {
      store_.mark_deleted(key);
    }
  }
  const Value* left = store_.find(key);
  if (left != nullptr && !dry_run) return json_reply(200, *left);
  return json_reply(200,
                    Value::object({{"kind", "Status"},
                                   {"apiVersion", "v1"},
                                   {"metadata", Value::object()},
                                   {"status", "Success"},
                                   {"details", Value::object({{"name", key.name},
                                                              {"kind", key.plural},
                                                              {"uid", gone.text_at("/metadata/uid")}})}}));
}

void Api::orphan_dependents(const std::string& owner_uid) {
  std::vector<Key> keys;
  for (const auto& [key, object] : store_.all()) keys.push_back(key);
  for (const Key& key : keys) {
    store_.update(key, [&](Value& object) {
      const Value::Array owners = object.items_at("/metadata/ownerReferences");
      Value kept = Value::array();
      for (const Value& owner : owners) {
        if (owner.text_at("/uid") != owner_uid) kept.push_back(owner);
      }
      if (kept.items().size() == owners.size()) return;
      object.set_at("/metadata/ownerReferences", kept);
      if (kept.items().empty()) object.remove_at("/metadata/ownerReferences");
    });
  }
}

}  // namespace truenas::fakes
