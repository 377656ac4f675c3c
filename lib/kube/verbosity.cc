#include "lib/kube/verbosity.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "lib/base/text.h"

namespace truenas::kube {
namespace {

using Lines = std::vector<std::string>;

constexpr std::array<std::pair<int, std::string_view>, 17> k_phrases{{{101, "Switching Protocols"},
                                                                      {200, "OK"},
                                                                      {201, "Created"},
                                                                      {202, "Accepted"},
                                                                      {400, "Bad Request"},
                                                                      {401, "Unauthorized"},
                                                                      {403, "Forbidden"},
                                                                      {404, "Not Found"},
                                                                      {405, "Method Not Allowed"},
                                                                      {409, "Conflict"},
                                                                      {410, "Gone"},
                                                                      {422, "Unprocessable Entity"},
                                                                      {429, "Too Many Requests"},
                                                                      {500, "Internal Server Error"},
                                                                      {502, "Bad Gateway"},
                                                                      {503, "Service Unavailable"},
                                                                      {504, "Gateway Timeout"}}};

std::string status_text(int status) {
  for (const auto& [code, phrase] : k_phrases) {
    if (code == status) return fmt::format("{} {}", code, phrase);
  }
  return std::to_string(status);
}

// Cookies of a proxy in front of the server are credentials too.
bool is_credential(std::string_view header) {
  const std::string name = lower(header);
  return name == "authorization" || name == "cookie" || name == "set-cookie" ||
         name == "proxy-authorization" || name == "coder-session-token";
}

std::vector<http::Header> shown_headers(const http::Request& request) {
  std::vector<http::Header> headers = request.headers;
  if (!request.authorization.empty()) {
    headers.emplace_back(request.authorization_header, masked_authorization(request.authorization));
  }
  return headers;
}

void add_headers(Lines& lines, std::string_view title, const std::vector<http::Header>& headers) {
  lines.push_back(fmt::format("{} Headers:", title));
  for (const auto& [name, value] : headers) {
    const bool hide = is_credential(name) && !contains(value, "<masked>");
    lines.push_back(fmt::format("    {}: {}", printable(name), hide ? "<masked>" : printable(value)));
  }
}

bool touches_secrets(const http::Request& request) {
  return contains(lower(request.target), "/secrets");
}

void add_body(Lines& lines, std::string_view title, const http::Request& request, std::string_view body,
              int verbosity) {
  const std::size_t limit = shown_body_bytes(verbosity);
  if (limit == 0 || body.empty()) return;
  if (touches_secrets(request)) {
    lines.push_back(fmt::format("{} Body: <masked>", title));
    return;
  }
  std::string text = printable(body.substr(0, limit));
  if (body.size() > limit) text += fmt::format(" [truncated {} chars]", body.size() - limit);
  lines.push_back(fmt::format("{} Body: {}", title, text));
}

std::string curl_command(const http::Request& request, std::string_view origin) {
  std::string command = fmt::format("curl -v -X{} ", request.method);
  for (const auto& [name, value] : shown_headers(request)) {
    const bool hide = is_credential(name) && !contains(value, "<masked>");
    command += fmt::format(" -H {}", quote(fmt::format("{}: {}", name, hide ? "<masked>" : value)));
  }
  return fmt::format("{} '{}{}'", command, origin, request.target);
}

}  // namespace

std::string masked_authorization(const Secret& authorization) {
  const std::string& value = authorization.reveal();
  if (value.empty()) return "";
  const std::string scheme = value.substr(0, value.find(' '));
  const std::string known = lower(scheme);
  if (scheme == value || (known != "bearer" && known != "basic" && known != "negotiate")) return "<masked>";
  return scheme + " <masked>";
}

std::size_t shown_body_bytes(int verbosity) {
  if (verbosity < 8) return 0;
  if (verbosity == 8) return 1024;
  return verbosity == 9 ? 10240 : std::string::npos;
}

Lines render_request(const http::Request& request, std::string_view origin, int verbosity) {
  Lines lines;
  if (verbosity >= 9) {
    lines.push_back(curl_command(request, origin));
  } else if (verbosity >= 7) {
    lines.push_back(fmt::format("{} {}{}", request.method, origin, request.target));
    add_headers(lines, "Request", shown_headers(request));
  }
  add_body(lines, "Request", request, request.body, verbosity);
  return lines;
}

Lines render_response(const http::Request& request, std::string_view origin, const http::Response& response,
                      std::string_view body, Milliseconds took, int verbosity) {
  Lines lines;
  const std::string outcome =
      fmt::format("{} in {} milliseconds", status_text(response.status), took.count());
  if (verbosity == 6 || verbosity >= 9) {
    lines.push_back(fmt::format("{} {}{} {}", request.method, origin, request.target, outcome));
  } else if (verbosity >= 7) {
    lines.push_back("Response Status: " + outcome);
  }
  if (verbosity >= 8) add_headers(lines, "Response", response.headers);
  add_body(lines, "Response", request, body, verbosity);
  return lines;
}

Lines render_failure(const http::Request& request, std::string_view origin, const Error& failure,
                     Milliseconds took, int verbosity) {
  if (verbosity < 6) return {};
  return {fmt::format("{} {}{} failed in {} milliseconds: {}", request.method, origin, request.target,
                      took.count(), printable(failure.what))};
}

}  // namespace truenas::kube
