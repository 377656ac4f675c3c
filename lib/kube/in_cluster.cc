// The configuration that Kubernetes gives to every Pod (R7, R8).
#include <fmt/format.h>

#include "lib/base/text.h"
#include "lib/http/url.h"
#include "lib/kube/kubeconfig_internal.h"

namespace truenas::kube {
namespace {

const std::string k_service_account = "/var/run/secrets/kubernetes.io/serviceaccount/";

std::string join_host_port(const std::string& host, const std::string& port) {
  return contains(host, ":") ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

// A missing authority is not fatal: the system's roots are trusted then.
Result<void> apply_authority(const ConnectionFlags& flags, const Environment& environment,
                             ClientConfig& config) {
  const std::string flag = flags.certificate_authority.value_or("");
  const std::string path =
      flag.empty() ? k_service_account + "ca.crt" : absolute_path(environment.working_directory, flag);
  Result<std::string> text = environment.read_file(path);
  if (text && !text->empty()) {
    config.endpoint.ca_pem = std::move(*text);
    return {};
  }
  const std::string reason = text ? "it is empty" : text.error().what;
  const std::string problem = fmt::format("root CA config {}: {}", printable(path), reason);
  if (!flag.empty()) return make_error(Kind::config, "unable to load " + problem);
  config.notices.push_back({0, "Expected to load " + problem});
  return {};
}

}  // namespace

bool in_cluster_possible(const Environment& environment) {
  return !variable_or_empty(environment, "KUBERNETES_SERVICE_HOST").empty() &&
         !variable_or_empty(environment, "KUBERNETES_SERVICE_PORT").empty() &&
         environment.read_file(k_service_account + "token").ok();
}

std::string in_cluster_namespace(const Environment& environment) {
  std::string from_variable = variable_or_empty(environment, "POD_NAMESPACE");
  if (!from_variable.empty()) return from_variable;
  const Result<std::string> text = environment.read_file(k_service_account + "namespace");
  const std::string name(text ? trim(*text) : std::string_view());
  return name.empty() ? "default" : name;
}

Result<void> apply_in_cluster(const ConnectionFlags& flags, const Environment& environment,
                              ClientConfig& config) {
  config.server = "https://" + join_host_port(variable_or_empty(environment, "KUBERNETES_SERVICE_HOST"),
                                              variable_or_empty(environment, "KUBERNETES_SERVICE_PORT"));
  Result<http::Url> url = http::parse_server_url(config.server);
  if (!url) return url.take_error().in("KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT");
  config.endpoint.scheme = url->scheme;
  config.endpoint.host = url->host;
  config.endpoint.port = url->port;
  config.path_prefix.clear();
  const std::string token = flags.token.value_or("");
  config.token = Secret(token);
  config.token_file = token.empty() ? k_service_account + "token" : "";
  return apply_authority(flags, environment, config);
}

}  // namespace truenas::kube
