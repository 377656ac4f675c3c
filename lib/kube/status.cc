#include "lib/kube/status.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "lib/base/text.h"

namespace truenas::kube {
namespace {

constexpr std::size_t k_text_limit = 2048;  // S3

struct Meaning {
  std::string_view reason;
  int code;
  Kind kind;
};

// S2. Of two reasons with one code the first is what a bare code means.
constexpr std::array k_meanings{
    Meaning{"BadRequest", 400, Kind::refused},
    Meaning{"Unauthorized", 401, Kind::auth},
    Meaning{"Forbidden", 403, Kind::auth},
    Meaning{"NotFound", 404, Kind::not_found},
    Meaning{"MethodNotAllowed", 405, Kind::refused},
    Meaning{"NotAcceptable", 406, Kind::refused},
    Meaning{"Conflict", 409, Kind::conflict},
    Meaning{"AlreadyExists", 409, Kind::conflict},
    Meaning{"Expired", 410, Kind::unavailable},
    Meaning{"Gone", 410, Kind::unavailable},
    Meaning{"RequestEntityTooLarge", 413, Kind::refused},
    Meaning{"UnsupportedMediaType", 415, Kind::refused},
    Meaning{"Invalid", 422, Kind::refused},
    Meaning{"TooManyRequests", 429, Kind::unavailable},
    Meaning{"InternalError", 500, Kind::unavailable},
    Meaning{"ServerTimeout", 500, Kind::unavailable},
    Meaning{"StorageReadError", 500, Kind::unavailable},
    Meaning{"ServiceUnavailable", 503, Kind::unavailable},
    Meaning{"Timeout", 504, Kind::unavailable},
};

Kind kind_of(const Status& status) {
  for (const Meaning& meaning : k_meanings) {
    if (meaning.reason == status.reason) return meaning.kind;
  }
  for (const Meaning& meaning : k_meanings) {
    if (meaning.code == status.code) return meaning.kind;
  }
  return status.code >= 500 || status.code == 408 ? Kind::unavailable : Kind::refused;
}

std::string reason_for(int code, std::string_view method) {
  if (code == 409 && method == "POST") return "AlreadyExists";
  for (const Meaning& meaning : k_meanings) {
    if (meaning.code == code) return std::string(meaning.reason);
  }
  return code >= 500 ? "InternalError" : "";
}

// The body as far as it is text for people; JSON or an image would only confuse.
std::string text_of(const http::Response& response) {
  const std::string type = lower(response.header("Content-Type"));
  const std::string_view body = trim(response.body);
  if (body.empty() || (!type.empty() && !type.starts_with("text/"))) return "unknown";
  return std::string(body.substr(0, k_text_limit));
}

// client-go's NewGenericServerResponse.
std::string synthesised_message(const http::Response& response) {
  switch (response.status) {
    case 400:
      return "the server rejected our request for an unknown reason";
    case 401:
      return "the server has asked for the client to provide credentials";
    case 404:
      return "the server could not find the requested resource";
    case 405:
      return "the server does not allow this method on the requested resource";
    case 409:
      return "the server reported a conflict";
    case 422:
      return "the server rejected our request due to an error in our request";
    case 429:
      return "the server has received too many requests and has asked us to try again later";
    case 503:
      return "the server is currently unable to handle the request";
    case 504:
      return "the server was unable to return a response in the time allotted, but may still be processing "
             "the "
             "request";
    default:
      break;
  }
  const std::string text = text_of(response);
  if (response.status >= 500) {
    return fmt::format("an error on the server ({}) has prevented the request from succeeding", quote(text));
  }
  if (response.status >= 300 && response.status < 400) {
    return fmt::format("the server redirects to {}, which is not followed: credentials stay with one server",
                       quote(response.header("Location")));
  }
  return text == "unknown" ? fmt::format("the server answered {} and did not say why", response.status)
                           : text;
}

// S5: one cause inline, several after each other; kubectl prints a line each, an Error has one line.
std::string invalid_message(const Status& status) {
  const std::string& kind = status.body.text_at("/details/kind");
  const std::string& name = status.body.text_at("/details/name");
  std::vector<std::string> causes;
  for (const json::Value& cause : status.body.items_at("/details/causes")) {
    const std::string& field = cause.text_at("/field");
    const std::string& message = cause.text_at("/message");
    std::string text = field.empty() ? message : field + ": " + message;
    if (std::find(causes.begin(), causes.end(), text) == causes.end()) causes.push_back(std::move(text));
  }
  if (kind.empty() && causes.empty()) return "the request is invalid: " + status.message;
  if (causes.empty()) causes.push_back(status.message);
  if (kind.empty()) return "the request is invalid: " + join(causes, "; ");
  return fmt::format("the {} {} is invalid: {}", kind, quote(name), join(causes, "; "));
}

}  // namespace

Status read_status_object(const json::Value& object) {
  Status status;
  status.code = static_cast<int>(std::clamp<std::int64_t>(object.integer_at("/code"), 0, 999));
  status.reason = object.text_at("/reason");
  status.message = object.text_at("/message");
  status.continue_token = object.text_at("/metadata/continue");
  status.body = object;
  return status;
}

Status read_status(const http::Response& response, const Call& call) {
  const Result<json::Value> body = json::parse(response.body, "status");
  Status status;
  if (body.ok() && body->text_at("/kind") == "Status") status = read_status_object(*body);
  if (status.code == 0) status.code = response.status;
  if (status.reason.empty()) status.reason = reason_for(status.code, call.method);
  if (status.message.empty()) status.message = synthesised_message(response) + " (" + call.what + ")";
  return status;
}

bool is_failure(const json::Value& body) {
  return body.text_at("/kind") == "Status" && body.text_at("/status") != "Success";
}

Error status_error(const Status& status, const Call& call) {
  Error error = make_error(kind_of(status), status.message);
  if (status.code >= 300 && status.code < 400) error.kind = Kind::config;
  if (status.reason == "Unauthorized") {
    error.what = fmt::format("you must be logged in to the server ({})", status.message);
  } else if (status.reason == "Invalid") {
    error.what = invalid_message(status);
  } else if (error.what.empty()) {
    error.what = fmt::format("the server refused to {} and did not say why", call.what);
  }
  error.what = printable(error.what);
  return error;
}

Seconds retry_after_of(const Status& status) {
  return Seconds(std::clamp<std::int64_t>(status.body.integer_at("/details/retryAfterSeconds"), 0, 300));
}

}  // namespace truenas::kube
