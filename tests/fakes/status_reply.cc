#include "tests/fakes/status_reply.h"

#include <fmt/format.h>

namespace truenas::fakes {

http::Response json_reply(int status, const json::Value& body) {
  http::Response response;
  response.status = status;
  response.headers = {{"Content-Type", "application/json"}};
  response.body = json::write(body);
  return response;
}

std::string qualified(std::string_view group, std::string_view plural) {
  return group.empty() ? std::string(plural) : fmt::format("{}.{}", plural, group);
}

http::Response failure(int code, std::string_view reason, std::string message, std::string_view group,
                       std::string_view plural, std::string_view name) {
  json::Value details = json::Value::object();
  if (!name.empty()) details.set("name", name);
  if (!group.empty()) details.set("group", group);
  if (!plural.empty()) details.set("kind", plural);
  return json_reply(code, json::Value::object({{"kind", "Status"},
                                               {"apiVersion", "v1"},
                                               {"metadata", json::Value::object()},
                                               {"status", "Failure"},
                                               {"message", std::move(message)},
                                               {"reason", reason},
                                               {"details", std::move(details)},
                                               {"code", code}}));
}

http::Response not_found(std::string_view group, std::string_view plural, std::string_view name) {
  return failure(404, "NotFound", fmt::format("{} \"{}\" not found", qualified(group, plural), name), group,
                 plural, name);
}

http::Response already_exists(std::string_view group, std::string_view plural, std::string_view name) {
  return failure(409, "AlreadyExists",
                 fmt::format("{} \"{}\" already exists", qualified(group, plural), name), group, plural,
                 name);
}

http::Response conflict(std::string_view group, std::string_view plural, std::string_view name,
                        std::string_view why) {
  return failure(
      409, "Conflict",
      fmt::format("Operation cannot be fulfilled on {} \"{}\": {}", qualified(group, plural), name, why),
      group, plural, name);
}

http::Response invalid(std::string_view group, std::string_view kind, std::string_view name,
                       std::string_view field, std::string_view why) {
  const json::Value cause =
      json::Value::object({{"reason", "FieldValueForbidden"}, {"message", why}, {"field", field}});
  http::Response response = failure(
      422, "Invalid", fmt::format("{} \"{}\" is invalid: {}: {}", qualified(group, kind), name, field, why),
      group, kind, name);
  json::Value body = json::parse(response.body, "own status").value();
  body.set_at("/details/causes", json::Value::array({cause}));
  response.body = json::write(body);
  return response;
}

http::Response bad_request(std::string message) {
  return failure(400, "BadRequest", std::move(message));
}

http::Response unknown_resource() {
  return failure(404, "NotFound", "the server could not find the requested resource");
}

http::Response expired(std::string message) {
  return failure(410, "Expired", std::move(message));
}

}  // namespace truenas::fakes
