// A ClientConfig in the words of the fixtures.
#include <fmt/format.h>

#include "lib/base/text.h"
#include "tests/unit/kube/kubeconfig_case.h"

namespace truenas::kube::test {
namespace {

using json::Value;

// The file's label where it is one of fixtures/pem, else itself.
std::string label(const std::string& content) {
  static const std::map<std::string, std::string> labels = {{fixture_file("pem/ca.crt"), "<ca>"},
                                                            {fixture_file("pem/other-ca.crt"), "<other-ca>"},
                                                            {fixture_file("pem/client.crt"), "<client-cert>"},
                                                            {fixture_file("pem/client.key"), "<client-key>"},
                                                            {fixture_file("pem/other.crt"), "<other-cert>"},
                                                            {fixture_file("pem/other.key"), "<other-key>"}};
  const auto found = labels.find(content);
  return found == labels.end() ? content : found->second;
}

Value texts(const std::vector<std::string>& list) {
  Value result = Value::array();
  for (const std::string& text : list) result.push_back(text);
  return result;
}

void set_text(Value& object, std::string_view key, const std::string& text) {
  if (!text.empty()) object.set(key, text);
}

Value render_exec(const ExecPlugin& exec) {
  Value result = Value::object();
  set_text(result, "command", exec.command);
  if (!exec.args.empty()) result.set("args", texts(exec.args));
  set_text(result, "apiVersion", exec.api_version);
  set_text(result, "interactiveMode", exec.interactive_mode);
  set_text(result, "installHint", exec.install_hint);
  for (const auto& [name, value] : exec.env) result.set_at("/env/" + name, value);
  if (exec.provide_cluster_info) {
    Value info = exec.cluster_info;
    const std::string authority = info.text_at("/certificate-authority-data");
    if (!authority.empty()) {
      info.set("certificate-authority-data", label(base64_decode(authority).value_or("not base64")));
    }
    result.set("cluster", std::move(info));
  }
  if (exec.policy.type == PluginPolicy::Type::deny_all) result.set("policy", "DenyAll");
  if (exec.policy.type == PluginPolicy::Type::allowlist) result.set("policy", texts(exec.policy.allowlist));
  return result;
}

void render_endpoint(const http::Endpoint& endpoint, const std::string& prefix, Value& result) {
  const bool v6 = contains(endpoint.host, ":");
  result.set("endpoint", fmt::format("{}://{}{}{}:{}{}", endpoint.scheme, v6 ? "[" : "", endpoint.host,
                                     v6 ? "]" : "", endpoint.port, prefix));
  set_text(result, "ca", label(endpoint.ca_pem));
  set_text(result, "client-cert", label(endpoint.certificate_pem));
  set_text(result, "client-key", label(endpoint.key_pem.reveal()));
  if (endpoint.insecure_skip_verify) result.set("insecure", true);
  set_text(result, "tls-server-name", endpoint.tls_server_name);
  set_text(result, "proxy", endpoint.proxy);
  if (endpoint.proxy_from_environment != endpoint.proxy.empty())
    result.set("proxy-from-environment", "wrong");
  if (!endpoint.compression) result.set("disable-compression", true);
}

void render_impersonation(const ClientConfig& config, Value& result) {
  set_text(result, "as", config.impersonate_user);
  set_text(result, "as-uid", config.impersonate_uid);
  if (!config.impersonate_groups.empty()) result.set("as-groups", texts(config.impersonate_groups));
  for (const auto& [key, values] : config.impersonate_extra) {
    result.set_at("/as-user-extra/" + json::pointer_token(key), texts(values));
  }
}

}  // namespace

Value render(const ClientConfig& config) {
  Value result = Value::object();
  render_endpoint(config.endpoint, config.path_prefix, result);
  result.set("server", config.server);
  set_text(result, "context", config.context);
  if (config.ns != "default" || config.ns_given) result.set("namespace", config.ns);
  if (config.ns_given) result.set("namespace-given", true);
  set_text(result, "token", config.token.reveal());
  set_text(result, "token-file", config.token_file);
  set_text(result, "username", config.username);
  set_text(result, "password", config.password.reveal());
  if (config.exec) result.set("exec", render_exec(*config.exec));
  render_impersonation(config, result);
  if (config.request_timeout.count() != 0) {
    result.set("request-timeout-ms", std::int64_t{config.request_timeout.count()});
  }
  for (const Notice& notice : config.notices) {
    if (result.find("notices") == nullptr) result.set("notices", Value::array());
    result.find("notices")->push_back(fmt::format("{}: {}", notice.verbosity, notice.text));
  }
  return result;
}

}  // namespace truenas::kube::test
