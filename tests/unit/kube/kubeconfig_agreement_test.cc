// kubectl and this library read the same files: they must choose the same server and the same credentials,
// and refuse the same mistakes.
#include <doctest/doctest.h>

#include <iostream>

#include "lib/kube/kubeconfig.h"
#include "tests/unit/kube/kubectl.h"

using namespace truenas;
using namespace truenas::kube;

namespace {

// Resolved, and its certificates are such that a transport takes them.
bool usable(const Result<ClientConfig>& config, std::string& why) {
  if (!config) {
    why = config.error().what;
    return false;
  }
  const auto transport = http::make_curl_transport(config->endpoint);
  if (!transport) why = transport.error().what;
  return transport.ok();
}

// What `config view --minify --flatten` cannot show though it is a configuration: no current context, a user
// that is named but not there (anonymous), keys given twice but not used.
bool only_view_refuses(const std::string& errors) {
  for (const char* text :
       {"current-context must exist", "cannot locate user", "cannot have values for both"}) {
    if (errors.find(text) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("kubectl and the library resolve or refuse the same fixtures") {
  const auto cases = test::kubeconfig_cases();
  const auto kubectl = test::find_kubectl("agreement on resolving", cases.size());
  if (!kubectl.present) {
    CHECK_FALSE(kubectl.must_be);
    return;
  }
  std::size_t asked = 0, left_out = 0;
  for (const test::KubeconfigCase& entry : cases) {
    if (!entry.why_not_kubectl.empty()) {
      std::cout << "by design not asked: " << entry.title() << ": " << entry.why_not_kubectl << "\n";
      ++left_out;
      continue;
    }
    ++asked;
    CAPTURE(entry.title());
    std::string theirs, ours;
    const bool kubectl_does = test::kubectl_resolves(entry, theirs);
    const bool library_does = usable(resolve_client_config(entry.flags, test::environment_of(entry)), ours);
    CHECK_MESSAGE(kubectl_does == library_does, "kubectl: ", theirs, "library: ", ours);
  }
  std::cout << asked << " fixtures asked of kubectl, " << left_out << " by design not\n";
  CHECK(asked >= 100);
}

TEST_CASE("kubectl config view agrees on server, trust and credentials") {
  const auto cases = test::kubeconfig_cases();
  const auto kubectl = test::find_kubectl("agreement on values", cases.size());
  if (!kubectl.present) {
    CHECK_FALSE(kubectl.must_be);
    return;
  }
  std::size_t compared = 0;
  for (const test::KubeconfigCase& entry : cases) {
    if (!entry.why_not_kubectl.empty() || !entry.only_files_and_context) continue;
    CAPTURE(entry.title());
    std::string errors;
    const std::optional<json::Value> view = test::kubectl_view(entry, errors);
    const auto config = resolve_client_config(entry.flags, test::environment_of(entry));
    if (!view) {
      CHECK_MESSAGE((!config.ok() || only_view_refuses(errors)), "kubectl: ", errors);
      continue;
    }
    if (!config.ok()) continue;  // view does not validate; the other test compares refusals
    if (view->text_at("/clusters/0/cluster/server").empty()) continue;  // KUBERNETES_MASTER
    ++compared;
    const json::Value theirs = test::comparable(*view), ours = test::view_of(*config);
    CHECK_MESSAGE(theirs == ours, "kubectl ", json::write(theirs), "\n library ", json::write(ours));
  }
  std::cout << compared << " fixtures compared value by value\n";
  CHECK(compared >= 50);
}
