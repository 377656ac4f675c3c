#include "lib/coder/server_login.h"

#include <fmt/format.h>

#include "lib/base/text.h"
#include "lib/http/curl_transport.h"
#include "lib/http/url.h"

namespace truenas::coder {
namespace {

std::string variable(const kube::Environment& environment, const std::string& name) {
  return std::string(trim(environment.variable(name).value_or("")));
}

// "" when there is nowhere to look.
std::string config_directory(const kube::Environment& environment, bool mac) {
  if (std::string given = variable(environment, "CODER_CONFIG_DIR"); !given.empty()) return given;
  const std::string home = variable(environment, "HOME");
  if (mac) return home.empty() ? "" : home + "/Library/Application Support/coderv2";
  if (const std::string base = variable(environment, "XDG_CONFIG_HOME"); !base.empty())
    return base + "/coderv2";
  return home.empty() ? "" : home + "/.config/coderv2";
}

// The first line of a file that need not be there.
Result<std::string> read_line(const kube::Environment& environment, const std::string& path) {
  const Result<std::string> text = environment.read_file(path);
  if (text.ok()) return std::string(trim(*text));
  if (text.error().kind == Kind::not_found) return std::string();
  return make_error(Kind::config, fmt::format("cannot read {}: {}", quote(path), text.error().what));
}

// What the coder CLI makes of an address without a scheme, and without trailing slashes.
std::string normal_url(std::string url) {
  if (!url.empty() && !contains(url, "://")) url = "https://" + url;
  while (url.ends_with("/")) url.pop_back();
  return url;
}

Result<void> check_url(const std::string& url, std::string_view from, bool flag) {
  const Result<http::Url> parsed = http::parse_server_url(url);
  if (parsed.ok()) return {};
  Error error = parsed.error();
  constexpr std::string_view k_other = "of an API server";
  if (const std::size_t at = error.what.find(k_other); at != std::string::npos)
    error.what.replace(at, k_other.size(), "of a Coder");
  error.kind = flag ? Kind::usage : Kind::config;
  error.hints = {"it must look like https://coder.example.com"};
  return error.in(from);
}

struct Found {
  std::string url, url_from;
  std::string token, token_from;
  std::string file_url;
};

Result<Found> look(const std::optional<std::string>& coder_url, const kube::Environment& environment,
                   bool mac) {
  Found found;
  const std::string directory = config_directory(environment, mac);
  std::string session;
  if (!directory.empty()) {
    TM_TRY_ASSIGN(found.file_url, read_line(environment, directory + "/url"));
    TM_TRY_ASSIGN(session, read_line(environment, directory + "/session"));
    found.file_url = normal_url(found.file_url);
  }
  if (coder_url) {
    found.url = normal_url(std::string(trim(*coder_url))), found.url_from = "--coder-url";
  } else if (const std::string url = variable(environment, "CODER_URL"); !url.empty()) {
    found.url = normal_url(url), found.url_from = "CODER_URL";
  } else {
    found.url = found.file_url, found.url_from = directory + "/url";
  }
  found.token = variable(environment, "CODER_SESSION_TOKEN"), found.token_from = "CODER_SESSION_TOKEN";
  if (found.token.empty() && found.url == found.file_url) {
    found.token = session, found.token_from = directory + "/session";
  }
  return found;
}

}  // namespace

bool runs_on_mac() {
#if defined(__APPLE__)
  return true;
#else
  return false;
#endif
}

Result<LoginSearch> find_login(const std::optional<std::string>& coder_url,
                               const kube::Environment& environment, bool mac) {
  TM_TRY_ASSIGN(const Found found, look(coder_url, environment, mac));
  LoginSearch search;
  if (coder_url && found.url.empty()) return make_error(Kind::usage, "--coder-url is empty");
  if (found.url.empty()) {
    if (!found.token.empty()) search.why_none = "CODER_SESSION_TOKEN is set, but no URL of a Coder is";
    return search;
  }
  TM_TRY(check_url(found.url, found.url_from, coder_url.has_value()));
  if (found.token.empty()) {
    const std::string why =
        fmt::format("there is no token for the Coder at {} ({})", found.url, found.url_from);
    if (coder_url) return make_error(Kind::config, why, {"coder login " + found.url});
    search.why_none = why;
    return search;
  }
  const bool by_environment = found.url_from == "CODER_URL" || found.token_from == "CODER_SESSION_TOKEN";
  search.login =
      ServerLogin{found.url, Secret(found.token), fmt::format("{} and {}", found.url_from, found.token_from),
                  coder_url.has_value() || by_environment};
  return search;
}

Result<std::unique_ptr<ServerSession>> open_server(const ServerLogin& login,
                                                   const kube::Environment& environment, int verbosity,
                                                   std::function<void(std::string_view)> log, Clock& clock) {
  TM_TRY_ASSIGN(const http::Url url, http::parse_server_url(login.url));
  http::Endpoint endpoint;
  endpoint.scheme = url.scheme, endpoint.host = url.host, endpoint.port = url.port;
  endpoint.user_agent = "kubectl-truenas_migrate/" TM_VERSION;
  if (const std::string roots = variable(environment, "SSL_CERT_FILE"); !roots.empty()) {
    Result<std::string> text = environment.read_file(roots);
    if (!text.ok()) {
      return make_error(Kind::config,
                        fmt::format("cannot read SSL_CERT_FILE {}: {}", quote(roots), text.error().what));
    }
    endpoint.ca_pem = std::move(text).value();
  }
  TM_TRY_ASSIGN(std::unique_ptr<http::Transport> transport, http::make_curl_transport(endpoint));
  ServerSessionOptions options;
  options.url = login.url;
  options.path_prefix = url.path;
  options.token = login.token;
  options.user_agent = endpoint.user_agent;
  options.verbosity = verbosity;
  options.log = std::move(log);
  return std::make_unique<ServerSession>(std::move(transport), std::move(options), clock);
}

}  // namespace truenas::coder
