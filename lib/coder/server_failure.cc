#include "lib/coder/server_failure.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/text.h"
#include "lib/kube/retry.h"

namespace truenas::coder {
namespace {

constexpr std::string_view k_no_endpoint = "this Coder has no such endpoint";
constexpr int k_gateway_retries = 3;
constexpr Seconds k_wait_without_header{5};

// Coder's answer in one sentence; nullopt when it was not Coder that answered.
std::optional<std::string> coders_words(const http::Response& response) {
  const Result<json::Value> body = json::parse(response.body, "failure");
  if (!body.ok() || !body->is_object() || body->text_at("/message").empty()) return std::nullopt;
  std::string words = body->text_at("/message");
  // Others have a "message" too. What proves that something is absent must be in Coder's own words.
  const bool own = words.starts_with("Resource not found") || words.starts_with("Route not found");
  if (body->find("kind") != nullptr || (response.status == 404 && !own)) return std::nullopt;
  if (!body->text_at("/detail").empty()) words += ": " + body->text_at("/detail");
  for (const json::Value& item : body->items_at("/validations")) {
    words += fmt::format("; {}: {}", item.text_at("/field"), item.text_at("/detail"));
  }
  return printable(words);
}

Kind kind_of(int status) {
  if (status == 401 || status == 403) return Kind::auth;
  if (status == 404 || status == 410) return Kind::not_found;
  if (status == 409) return Kind::conflict;
  if (status == 408 || status == 429 || status >= 500) return Kind::unavailable;
  return Kind::refused;
}

// Nothing here was said by Coder, so a 404 is no proof that anything is absent.
Error strangers_failure(const ServerCall& call, const ServerSessionOptions& options,
                        const http::Response& response) {
  const std::string type = printable(response.header("Content-Type"));
  Error error = make_error(
      Kind::unavailable, fmt::format("cannot {}: {} answered {} ({}), and not as Coder does", call.what,
                                     options.url, response.status, type.empty() ? "no content type" : type));
  if (response.status == 401 || response.status == 403) error.kind = Kind::auth;
  if (response.status < 500) error.hints.push_back("curl -i " + options.url + "/api/v2/buildinfo");
  return error;
}

}  // namespace

bool lacks_endpoint(const Error& error) {
  return contains(error.what, k_no_endpoint);
}

Error server_failure(const ServerCall& call, const ServerSessionOptions& options,
                     const http::Response& response) {
  if (response.status >= 300 && response.status < 400) {
    return make_error(
        Kind::config,
        fmt::format("cannot {}: {} redirects to {}, which is not followed: the token stays with "
                    "one server",
                    call.what, options.url, quote(response.header("Location"))),
        {"give the address that Coder itself has (its access URL) with --coder-url"});
  }
  const std::optional<std::string> words = coders_words(response);
  Error error;
  if (!words) {
    error = strangers_failure(call, options, response);
  } else {
    error = make_error(kind_of(response.status),
                       fmt::format("cannot {}: Coder answered {}: {}", call.what, response.status, *words));
    if (response.status == 401) error.hints.push_back("coder login " + options.url);
    if (response.status == 404 && contains(*words, "Route not found")) {
      error.kind = Kind::unavailable;
      error.what = fmt::format("cannot {}: {} ({})", call.what, k_no_endpoint, *words);
    }
  }
  if (!call.read_only && response.status >= 500) error.kind = Kind::outcome_unknown;
  return error;
}

std::optional<Milliseconds> wait_after(const ServerCall& call, const http::Response& response, int retries) {
  if (response.status == 429) {
    if (retries >= kube::k_max_retries) return std::nullopt;
    const Seconds wait = kube::retry_after_of(response).value_or(k_wait_without_header);
    if (wait > kube::k_longest_retry_after) return std::nullopt;
    return std::max<Milliseconds>(wait, Seconds(1));
  }
  const bool gateway = response.status == 502 || response.status == 503 || response.status == 504;
  if (!gateway || !call.read_only || retries >= k_gateway_retries) return std::nullopt;
  const Seconds asked = kube::retry_after_of(response).value_or(Seconds(1 << retries));
  if (asked > kube::k_longest_retry_after) return std::nullopt;
  return std::max<Milliseconds>(asked, Seconds(1));
}

}  // namespace truenas::coder
