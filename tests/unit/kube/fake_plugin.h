#pragma once
// The fake credential plugin of fixtures/exec-plugin, ready to be run in one of its modes.

#include <string>

#include "lib/kube/kubeconfig.h"
#include "tests/unit/kube/kubeconfig_case.h"

namespace truenas::kube::test {

// `log`: where the plugin leaves what it was told.
inline ExecPlugin fake_plugin(const std::string& mode, const std::string& log = "") {
  ExecPlugin plugin;
  plugin.command = fixtures_directory() + "/exec-plugin/fake-plugin";
  plugin.api_version = "client.authentication.k8s.io/v1";
  plugin.interactive_mode = "Never";
  plugin.env = {{"FAKE_MODE", mode},
                {"FAKE_LOG", log},
                {"FAKE_CERT", fixtures_directory() + "/pem/client.crt"},
                {"FAKE_KEY", fixtures_directory() + "/pem/client.key"}};
  return plugin;
}

// The Authorization header, or "error: …".
inline std::string header_of(CredentialSource& source) {
  const Result<Secret> header = source.authorization();
  return header ? header->reveal() : "error: " + header.error().what;
}

}  // namespace truenas::kube::test
