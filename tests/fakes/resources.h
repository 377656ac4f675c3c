#pragma once
// Which resources a fake API server knows, and what it fills in or forbids when they are written. Pure.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/http/transport.h"
#include "lib/json/value.h"
#include "tests/fakes/store.h"

namespace truenas::fakes {

struct KnownResource {
  std::string group, version, plural, kind;
  bool namespaced = true;
  bool has_status = false;  // a status subresource: the main resource ignores status, and the other way round
};
std::vector<KnownResource> default_resources();

// What the server puts into a new object: finalizers of the protection admission, the first status.
json::Value with_defaults(const KnownResource& resource, json::Value object);
// Why `after` may not replace `before` (immutable fields of claims, volumes and classes); nullopt if it may.
std::optional<http::Response> forbidden_change(const KnownResource& resource, const json::Value& before,
                                               const json::Value& after);
// A DNS subdomain name as Kubernetes wants it.
bool is_object_name(std::string_view name);

}  // namespace truenas::fakes
