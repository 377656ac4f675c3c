#pragma once
// kubectl as an oracle: what it makes of the same kubeconfig. Tests that need it must count and name what
// they skip where it is missing, and fail there if the environment says CI=true.

#include <optional>
#include <string>
#include <vector>

#include "tests/unit/kube/kubeconfig_case.h"

namespace truenas::kube::test {

struct KubectlAnswer {
  int exit_code = 0;
  std::string output, errors;
};

// True if kubectl is on PATH. Otherwise prints "SKIPPED: kubectl not found: <what> (<count> cases)", and the
// calling test case must fail if the second is true.
struct KubectlPresence {
  bool present = false, must_be = false;
};
KubectlPresence find_kubectl(const std::string& what, std::size_t count);
// Runs kubectl in `directory` with nothing but `variables` and PATH in its environment, stdin closed.
KubectlAnswer run_kubectl(const std::string& directory, const std::map<std::string, std::string>& variables,
                          const std::vector<std::string>& arguments);
// What `kubectl config view --minify --raw --flatten -o json` says; nullopt if it refuses.
std::optional<json::Value> kubectl_view(const KubeconfigCase& entry, std::string& errors);
// Whether kubectl, asked for a path of the server, gets as far as trying to reach it or to log in.
bool kubectl_resolves(const KubeconfigCase& entry, std::string& errors);
// `config` in the words of that view, for comparison with comparable(). Certificates flattened.
json::Value view_of(const ClientConfig& config);
// What a view says about the one context in it, in the same form.
json::Value comparable(const json::Value& view);

}  // namespace truenas::kube::test
