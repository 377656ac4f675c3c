// From stanzas and flags to ClientConfig: the server, the namespace, and who goes in-cluster (R3-R8, P1-P3).
#include <fmt/format.h>

#include "lib/base/quantity.h"
#include "lib/base/text.h"
#include "lib/http/url.h"
#include "lib/kube/kubeconfig_internal.h"

namespace truenas::kube {
namespace {

constexpr std::string_view k_builtin_server = "http://localhost:8080";  // client-go's last resort (R3)

// P3.
Result<Milliseconds> request_timeout(const ConnectionFlags& flags) {
  const std::string text = flags.request_timeout.value_or("");
  if (text.empty()) return Milliseconds(0);
  Result<Milliseconds> timeout = parse_duration(text);
  if (timeout) return timeout;
  return make_error(Kind::usage,
                    "invalid timeout value. Timeout must be a single integer in seconds, or an integer "
                    "followed by a corresponding time unit (e.g. 1s | 2m | 3h)",
                    {fmt::format("--request-timeout={} is not one of these", printable(text))});
}

// R4: client-go would try localhost:8080 now and report a refused connection to a server nobody named.
Error nothing_configured(const Stanzas& stanzas, const Choice& choice) {
  Error error = make_error(Kind::config,
                           "missing or incomplete configuration info. Please point to an existing, complete "
                           "config file:");
  if (!choice.cluster_name.empty()) {
    const std::string place = choice.context_name.empty()
                                  ? std::string()
                                  : fmt::format(" that context {} names", quote(choice.context_name));
    error.hints.push_back(fmt::format("{} cluster {}{} has no server in the configuration",
                                      stanzas.clusters.contains(choice.cluster_name) ? "the" : "the unknown",
                                      quote(choice.cluster_name), place));
  }
  if (!stanzas.missing.empty()) {
    error.hints.push_back("config not found: " + printable(join(stanzas.missing, ", ")));
  }
  error.hints.insert(error.hints.end(), {"1. via the command-line flag --kubeconfig",
                                         "2. via the KUBECONFIG environment variable",
                                         "3. in your home directory as ~/.kube/config"});
  return error;
}

void apply_impersonation(const UserStanza& user, ClientConfig& config) {
  if (user.impersonate.empty()) return;
  config.impersonate_user = user.impersonate;
  config.impersonate_uid = user.impersonate_uid;
  config.impersonate_groups = user.impersonate_groups;
  config.impersonate_extra.assign(user.impersonate_extra.begin(), user.impersonate_extra.end());
}

// Whether something stands before an @ in the URL's authority: a name, and most often a password.
bool has_credentials(const std::string& url) {
  const std::size_t scheme = url.find("://");
  const std::size_t start = scheme == std::string::npos ? 0 : scheme + 3;
  const std::size_t end = url.find_first_of("/?#", start);
  return contains(std::string_view(url).substr(start, end - start), "@");
}

// R5.
Result<void> apply_server(const std::string& server, ClientConfig& config) {
  if (has_credentials(server)) {
    // Before anything that would quote the URL.
    return make_error(Kind::config, "the server's URL has credentials in it, which are not supported",
                      {"put them into the user's entry of the kubeconfig"});
  }
  Result<http::Url> url = http::parse_server_url(server);
  if (!url) {
    Error error = url.take_error();
    error.kind = Kind::config;
    return error;
  }
  if (url->scheme != "http" && url->scheme != "https") {
    return make_error(Kind::config, fmt::format("server {}: unsupported protocol scheme {}", quote(server),
                                                quote(url->scheme)));
  }
  config.server = server;
  config.endpoint.scheme = url->scheme;
  config.endpoint.host = url->host;
  config.endpoint.port = url->port;
  config.path_prefix = url->path;
  return {};
}

void apply_proxy(const ClusterStanza& cluster, ClientConfig& config) {
  config.endpoint.compression = !cluster.disable_compression;
  if (cluster.proxy_url.empty()) return;
  config.endpoint.proxy = cluster.proxy_url;
  config.endpoint.proxy_from_environment = false;
}

// R3: what is used when neither flag nor kubeconfig names a server; "" where client-go has its built-in one.
std::string default_server(const Environment& environment) {
  return variable_or_empty(environment, "KUBERNETES_MASTER");
}

// client-go goes in-cluster when the outcome cannot be told from its default: the default server and nothing
// else. Where no server is named at all this tool goes in-cluster whatever the other flags say, and obeys
// them; client-go would try localhost.
bool like_default(const ClientConfig& config, const Environment& environment) {
  const std::string from_variable = default_server(environment);
  const std::string expected = from_variable.empty() ? std::string(k_builtin_server) : from_variable;
  const http::Endpoint& endpoint = config.endpoint;
  const bool plain_endpoint = endpoint.proxy.empty() && endpoint.compression && endpoint.ca_pem.empty() &&
                              endpoint.certificate_pem.empty() && endpoint.tls_server_name.empty() &&
                              !endpoint.insecure_skip_verify;
  return config.server == expected && plain_endpoint && config.token.empty() && config.token_file.empty() &&
         config.username.empty() && !config.exec && config.impersonate_user.empty() &&
         config.request_timeout.count() == 0;
}

// R7.
void apply_namespace(const Choice& choice, const ConnectionFlags& flags, const Environment& environment,
                     ClientConfig& config) {
  if (!flags.ns.value_or("").empty()) {
    config.ns = *flags.ns;
    config.ns_given = true;
  } else if (!choice.context.ns.empty()) {
    config.ns = choice.context.ns;
  } else {
    config.ns = in_cluster_possible(environment) ? in_cluster_namespace(environment) : "default";
  }
}

}  // namespace

Result<ClientConfig> resolve_client_config(const ConnectionFlags& flags, const Environment& environment) {
  TM_TRY_ASSIGN(const Stanzas stanzas, load_stanzas(flags, environment));
  TM_TRY_ASSIGN(const Choice choice, choose(stanzas, flags));
  TM_TRY_ASSIGN(const CertificateFiles files, validate(choice, environment));
  ClientConfig config;
  if (!stanzas.missing.empty()) {
    config.notices.push_back({1, "Config not found: " + printable(join(stanzas.missing, ", "))});  // K4
  }
  TM_TRY_ASSIGN(config.request_timeout, request_timeout(flags));
  config.requests_a_second = flags.requests_a_second;
  config.context = choice.context_name;
  apply_impersonation(choice.user, config);
  apply_namespace(choice, flags, environment, config);
  apply_proxy(choice.cluster, config);
  const std::string server =
      choice.cluster.server.empty() ? default_server(environment) : choice.cluster.server;
  if (!server.empty()) {
    TM_TRY(apply_server(server, config));
    if (config.endpoint.scheme == "https") {  // R6
      TM_TRY(apply_credentials(choice, files, environment, config));
    }
    if (!like_default(config, environment)) return config;
  }
  if (in_cluster_possible(environment)) {
    TM_TRY(apply_in_cluster(flags, environment, config));
    return config;
  }
  if (server.empty()) return nothing_configured(stanzas, choice);
  return config;
}

}  // namespace truenas::kube
