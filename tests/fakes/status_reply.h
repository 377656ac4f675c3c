#pragma once
// Answers as an API server words them: objects and Status bodies (facts S1, S2). Pure.

#include <string>
#include <string_view>

#include "lib/http/transport.h"
#include "lib/json/value.h"

namespace truenas::fakes {

http::Response json_reply(int status, const json::Value& body);
// A Status Failure. `plural`, `group` and `name` go into details.
http::Response failure(int code, std::string_view reason, std::string message, std::string_view group = "",
                       std::string_view plural = "", std::string_view name = "");
// "pods", "clusters.postgresql.cnpg.io": how messages name a resource.
std::string qualified(std::string_view group, std::string_view plural);

http::Response not_found(std::string_view group, std::string_view plural, std::string_view name);
http::Response already_exists(std::string_view group, std::string_view plural, std::string_view name);
// "Operation cannot be fulfilled on <resource> "<name>": <why>".
http::Response conflict(std::string_view group, std::string_view plural, std::string_view name,
                        std::string_view why);
// 422 with one cause.
http::Response invalid(std::string_view group, std::string_view kind, std::string_view name,
                       std::string_view field, std::string_view why);
http::Response bad_request(std::string message);
// 404 for a path that leads nowhere ("the server could not find the requested resource").
http::Response unknown_resource();
http::Response expired(std::string message);

inline constexpr std::string_view k_modified =
    "the object has been modified; please apply your changes to the latest version and try again";

}  // namespace truenas::fakes
