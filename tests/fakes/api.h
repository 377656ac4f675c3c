#pragma once
// What an API server does with a request: read, list, watch, create, patch, replace, delete, over a Store,
// with the answers a real one gives (facts 2.2 to 2.6; tests/contract holds both to one suite). It runs no
// controller: those are the models.

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "lib/http/transport.h"
#include "tests/fakes/api_path.h"
#include "tests/fakes/resources.h"
#include "tests/fakes/store.h"

namespace truenas::fakes {

// Something the user may not do; an empty field stands for anything. subresource: "exec", "log", "status".
struct Denial {
  std::string verb, group, plural, ns, subresource;
};

class Api {
 public:
  explicit Api(Store& store) : store_(store), resources_(default_resources()) {}

  http::Response handle(const http::Request& request);

  std::vector<Denial> denied;
  // What no service account may do (SubjectAccessReview); everything else they may.
  std::vector<Denial> denied_to_accounts;
  // … and what they may do beside that; asked with the account's full name, unset: everything.
  std::function<bool(const std::string& user, const std::string& verb, const ApiPath& path)> account_may;
  // Text of a Pod's log; the query says container, tailLines and the like.
  std::function<http::Response(const Key& pod, const ApiPath& path)> read_log;
  std::string server_version = "v1.35.4";
  // Drops a resource ("clusters" of "postgresql.cnpg.io"), as where its definition is not installed.
  void forget_resource(std::string_view group, std::string_view plural);
  // Whether the denials allow it.
  bool allows(std::string_view verb, const ApiPath& path) const { return allows(denied, verb, path); }

 private:
  static bool allows(const std::vector<Denial>& denials, std::string_view verb, const ApiPath& path);
  struct Target;  // the resource, its path and its key
  const KnownResource* resource(const ApiPath& path) const;
  http::Response dispatch(const http::Request& request, const Target& target);
  http::Response get(const Target& target);
  http::Response list(const Target& target);
  http::Response watch(const Target& target);
  http::Response create(const http::Request& request, const Target& target);
  http::Response patch(const http::Request& request, const Target& target);
  http::Response replace(const http::Request& request, const Target& target);
  http::Response remove(const http::Request& request, const Target& target);
  // The common end of patch and replace: preconditions, subresource rules, forbidden changes.
  http::Response store_update(const Target& target, const json::Value& before, json::Value after,
                              bool replaces = false);
  http::Response store_new(const Target& target, json::Value object);
  void orphan_dependents(const std::string& owner_uid);
  http::Response review_access(const http::Request& request, const std::vector<Denial>& denials);
  http::Response forbidden(std::string_view verb, const Target& target) const;

  Store& store_;
  std::vector<KnownResource> resources_;
};

}  // namespace truenas::fakes
