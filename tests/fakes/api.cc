#include "tests/fakes/api.h"

#include <fmt/format.h>

#include <algorithm>

#include "tests/fakes/api_target.h"
#include "tests/fakes/status_reply.h"

namespace truenas::fakes {
namespace {

bool fits(const std::string& rule, std::string_view value) {
  return rule.empty() || rule == value;
}

bool denies(const Denial& rule, std::string_view verb, const ApiPath& path) {
  return fits(rule.verb, verb) && (rule.group == path.group) && fits(rule.plural, path.plural) &&
         fits(rule.ns, path.ns) && rule.subresource == path.subresource;
}

std::string verb_of(const std::string& method, const ApiPath& path) {
  if (method == "GET" && path.parameter("watch") == "true") return "watch";
  if (method == "GET") return path.name.empty() ? "list" : "get";
  if (method == "POST") return "create";
  if (method == "PUT") return "update";
  return method == "PATCH" ? "patch" : "delete";
}

}  // namespace

bool Api::allows(const std::vector<Denial>& denials, std::string_view verb, const ApiPath& path) {
  return std::none_of(denials.begin(), denials.end(),
                      [&](const Denial& rule) { return denies(rule, verb, path); });
}

void Api::forget_resource(std::string_view group, std::string_view plural) {
  std::erase_if(resources_,
                [&](const KnownResource& known) { return known.group == group && known.plural == plural; });
}

const KnownResource* Api::resource(const ApiPath& path) const {
  for (const KnownResource& known : resources_) {
    if (known.group == path.group && known.plural == path.plural && known.version == path.version)
      return &known;
  }
  return nullptr;
}

http::Response Api::forbidden(std::string_view verb, const Target& target) const {
  const ApiPath& path = target.path;
  const std::string what = path.subresource.empty() ? path.plural : path.plural + "/" + path.subresource;
  const std::string where =
      path.ns.empty() ? "at the cluster scope" : fmt::format("in the namespace \"{}\"", path.ns);
  const std::string name = path.name.empty() ? "" : fmt::format(" \"{}\"", path.name);
  return failure(
      403, "Forbidden",
      fmt::format("{}{} is forbidden: User \"tester\" cannot {} resource \"{}\" in API group \"{}\" {}",
                  qualified(path.group, path.plural), name, verb, what, path.group, where),
      path.group, path.plural, path.name);
}

http::Response Api::review_access(const http::Request& request, const std::vector<Denial>& denials) {
  auto body = json::parse(request.body, "body");
  if (!body.ok()) return bad_request(body.error().what);
  const json::Value* wanted = body->at("/spec/resourceAttributes");
  if (wanted == nullptr) return bad_request("no resourceAttributes");
  ApiPath path;
  path.group = wanted->text_at("/group");
  path.plural = wanted->text_at("/resource");
  path.ns = wanted->text_at("/namespace");
  path.name = wanted->text_at("/name");
  path.subresource = wanted->text_at("/subresource");
  const std::string& verb = wanted->text_at("/verb");
  const std::string& user = body->text_at("/spec/user");
  const bool may = user.empty() || !account_may || account_may(user, verb, path);
  body->set("status", json::Value::object({{"allowed", may && allows(denials, verb, path)}}));
  return json_reply(201, body.value());
}

http::Response Api::handle(const http::Request& request) {
  const std::string route = request.target.substr(0, request.target.find('?'));
  if (route == "/version") {
    return json_reply(200,
                      json::Value::object({{"major", "1"}, {"minor", "35"}, {"gitVersion", server_version}}));
  }
  const std::optional<ApiPath> path = parse_api_path(request.target);
  if (!path) return unknown_resource();
  if (path->plural == "selfsubjectaccessreviews" && request.method == "POST") {
    return review_access(request, denied);
  }
  if (path->plural == "subjectaccessreviews" && request.method == "POST") {
    if (allows("create", *path)) return review_access(request, denied_to_accounts);
    return failure(
        403, "Forbidden",
        "subjectaccessreviews.authorization.k8s.io is forbidden: User \"tester\" cannot create "
        "resource \"subjectaccessreviews\" in API group \"authorization.k8s.io\" at the cluster scope");
  }
  const KnownResource* known = resource(*path);
  if (known == nullptr) return unknown_resource();
  if (known->namespaced && path->ns.empty() && !path->name.empty()) return unknown_resource();
  const Target target{*known, *path, Key{known->group, known->plural, path->ns, path->name}};
  const std::string verb = verb_of(request.method, *path);
  if (!allows(verb, *path)) return forbidden(verb, target);
  const std::string& dry_run = path->parameter("dryRun");
  if (!dry_run.empty() && dry_run != "All") {
    return failure(422, "Invalid",
                   "dryRun: Unsupported value: \"" + dry_run + "\": supported values: \"All\"");
  }
  return dispatch(request, target);
}

http::Response Api::dispatch(const http::Request& request, const Target& target) {
  const std::string& sub = target.path.subresource;
  if (sub == "log" && request.method == "GET") {
    if (store_.find(target.key) == nullptr) return not_found("", "pods", target.key.name);
    return read_log ? read_log(target.key, target.path) : http::Response{200, {}, ""};
  }
  if (!sub.empty() && (sub != "status" || !target.resource.has_status)) return unknown_resource();
  if (request.method == "GET" && target.path.parameter("watch") == "true") return watch(target);
  if (request.method == "GET") return target.key.name.empty() ? list(target) : get(target);
  if (request.method == "POST" && target.key.name.empty()) return create(request, target);
  if (!target.key.name.empty()) {
    if (request.method == "PATCH") return patch(request, target);
    if (request.method == "PUT") return replace(request, target);
    if (request.method == "DELETE") return remove(request, target);
  }
  return failure(405, "MethodNotAllowed", "the server does not allow this method on the requested resource");
}

}  // namespace truenas::fakes
