// The https part of a configuration: trust, client certificate and the one way of authenticating (R6, T3, T6,
// A1, A4-A6, E1, E3), as client-go's rest and transport packages decide it.
#include <fmt/format.h>

#include <algorithm>

#include "lib/base/text.h"
#include "lib/kube/kubeconfig_internal.h"

namespace truenas::kube {
namespace {

Result<void> apply_trust(const Choice& choice, const CertificateFiles& files, http::Endpoint& endpoint) {
  const ClusterStanza& cluster = choice.cluster;
  const bool has_authority =
      !cluster.certificate_authority.empty() || !cluster.certificate_authority_data.empty();
  if (has_authority && cluster.insecure_skip_tls_verify) {  // T3
    return make_error(Kind::config,
                      "specifying a root certificates file with the insecure flag is not allowed");
  }
  if (has_authority && files.authority.empty()) {
    // T6: an empty file must not quietly mean the system's roots (client-go since 1.36).
    return make_error(Kind::config, fmt::format("unable to load root certificates: {} is empty",
                                                printable(cluster.certificate_authority)));
  }
  endpoint.ca_pem = files.authority;
  endpoint.insecure_skip_verify = cluster.insecure_skip_tls_verify;
  endpoint.tls_server_name = cluster.tls_server_name;
  return {};
}

// A1: the file's content is what goes on the wire; a token beside it only stands in for it.
Result<void> apply_token(const UserStanza& user, const Environment& environment, ClientConfig& config) {
  config.token = user.token;
  if (user.token_file.empty()) return {};
  config.token_file = absolute_path(environment.working_directory, user.token_file);
  if (!user.token.empty()) return {};
  const Result<std::string> text = environment.read_file(config.token_file);
  if (!text) {
    return make_error(Kind::config,
                      fmt::format("open {}: {}", printable(config.token_file), text.error().what));
  }
  if (trim(*text).empty()) {
    return make_error(Kind::config, fmt::format("read empty token from file {}", quote(config.token_file)));
  }
  return {};
}

// E3. Keys in client-go's order; absent where Go omits the zero value.
json::Value cluster_info(const Choice& choice, const ClientConfig& config) {
  json::Value info = json::Value::object({{"server", config.server}});
  const http::Endpoint& endpoint = config.endpoint;
  if (!endpoint.tls_server_name.empty()) info.set("tls-server-name", endpoint.tls_server_name);
  if (endpoint.insecure_skip_verify) info.set("insecure-skip-tls-verify", true);
  if (!endpoint.ca_pem.empty()) info.set("certificate-authority-data", base64_encode(endpoint.ca_pem));
  if (!endpoint.proxy.empty()) info.set("proxy-url", endpoint.proxy);
  if (!endpoint.compression) info.set("disable-compression", true);
  info.set("config", choice.cluster.exec_config);
  return info;
}

Result<void> apply_exec(const Choice& choice, const Environment& environment, ClientConfig& config) {
  if (!choice.user.exec) return {};
  ExecPlugin plugin = *choice.user.exec;
  if (plugin.api_version != "client.authentication.k8s.io/v1" &&
      plugin.api_version != "client.authentication.k8s.io/v1beta1") {
    return make_error(Kind::config,
                      fmt::format("exec plugin: invalid apiVersion {}", quote(plugin.api_version)));
  }
  const bool authenticated = !config.token.empty() || !config.token_file.empty() ||
                             !config.username.empty() || !config.endpoint.certificate_pem.empty();
  if (authenticated) return {};  // A5
  plugin.stdin_is_terminal = environment.stdin_is_terminal;
  if (plugin.provide_cluster_info) plugin.cluster_info = cluster_info(choice, config);
  TM_TRY(apply_plugin_policy(environment, plugin, config.notices));
  config.exec = std::move(plugin);
  return {};
}

}  // namespace

Result<void> apply_credentials(const Choice& choice, const CertificateFiles& files,
                               const Environment& environment, ClientConfig& config) {
  const UserStanza& user = choice.user;
  TM_TRY(apply_trust(choice, files, config.endpoint));
  config.endpoint.certificate_pem = files.certificate;
  config.endpoint.key_pem = files.key;
  if (!user.client_certificate.empty() && !user.client_key.empty()) {
    config.certificate_file = absolute_path(environment.working_directory, user.client_certificate);
    config.key_file = absolute_path(environment.working_directory, user.client_key);
  }
  const bool has_certificate = !user.client_certificate.empty() || !user.client_certificate_data.empty();
  if (has_certificate && (files.certificate.empty() || files.key.empty())) {
    return make_error(Kind::config, fmt::format("the client certificate or key of {} is an empty file",
                                                printable(choice.user_name)));
  }
  TM_TRY(apply_token(user, environment, config));
  config.username = user.username;
  config.password = user.password;
  if (!config.username.empty() && (!config.token.empty() || !config.token_file.empty())) {
    return make_error(Kind::config, "username/password or bearer token may be set, but not both");
  }
  if (user.auth_provider) {  // A6
    return make_error(Kind::config,
                      fmt::format("user {} uses the auth provider {}, which is not supported",
                                  quote(choice.user_name), quote(*user.auth_provider)),
                      {"use an exec credential plugin instead, for example kubelogin for oidc and azure, or "
                       "gke-gcloud-auth-plugin for gcp",
                       fmt::format("kubectl config set-credentials {} --auth-provider='' --exec-api-version="
                                   "client.authentication.k8s.io/v1 --exec-command=PLUGIN",
                                   printable(choice.user_name))});
  }
  return apply_exec(choice, environment, config);
}

}  // namespace truenas::kube
