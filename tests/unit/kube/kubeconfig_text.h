#pragma once
// One good kubeconfig, to be spoiled, and an environment in which nothing else is set.

#include "lib/kube/kubeconfig.h"

namespace truenas::kube::test {

inline Environment plain_environment(const std::string& directory) {
  Environment environment = process_environment();
  environment.working_directory = directory;
  environment.variable = [](const std::string&) -> std::optional<std::string> { return std::nullopt; };
  return environment;
}

inline Result<ClientConfig> resolve_file(const std::string& path) {
  ConnectionFlags flags;
  flags.kubeconfig = path;
  return resolve_client_config(flags, plain_environment("/"));
}

inline const std::string k_good = R"(apiVersion: v1
kind: Config
clusters:
- name: c
  cluster: {server: "https://127.0.0.1:1", tls-server-name: s, insecure-skip-tls-verify: true, extensions: [{name: e, extension: {}}]}
users:
- name: u
  user:
    token: hush-token
    as: someone
    as-groups: [a]
    as-user-extra: {k: [v]}
- name: v
  user: {exec: {command: x, args: [a], env: [{name: VAR, value: v}], apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never}}
contexts:
- name: x
  context: {cluster: c, user: u, namespace: ns}
current-context: x
)";

}  // namespace truenas::kube::test
