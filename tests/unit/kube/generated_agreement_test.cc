// Hundreds of made-up kubeconfigs, environments and flags: kubectl and the library must resolve or refuse the
// same, and read the same out of what both resolve.
#include <doctest/doctest.h>

#include <cstdlib>
#include <iostream>

#include "lib/base/text.h"
#include "tests/unit/kube/generated_kubeconfig.h"
#include "tests/unit/kube/kubectl.h"

using namespace truenas;
using namespace truenas::kube;

namespace {

// UNIT_KUBE_SEEDS=2000 for a long run.
std::uint32_t seed_count() {
  const char* text = std::getenv("UNIT_KUBE_SEEDS");
  const int count = text == nullptr ? 0 : std::atoi(text);
  return count > 0 ? static_cast<std::uint32_t>(count) : 250;
}

struct Counts {
  std::size_t resolved = 0, refused = 0, compared = 0, undecided = 0;
};

void compare_values(const test::KubeconfigCase& entry, const ClientConfig& config, Counts& counts) {
  std::string errors;
  const auto view = test::kubectl_view(entry, errors);
  if (!view || view->text_at("/clusters/0/cluster/server").empty()) return;
  ++counts.compared;
  const json::Value theirs = test::comparable(*view), ours = test::view_of(config);
  CHECK_MESSAGE(theirs == ours, "kubectl ", json::write(theirs), "\n library ", json::write(ours));
}

void compare(const test::KubeconfigCase& entry, Counts& counts) {
  const auto config = resolve_client_config(entry.flags, test::environment_of(entry));
  std::string ours = config ? "" : config.error().what;
  if (config) {
    const auto transport = http::make_curl_transport(config->endpoint);
    if (!transport) ours = transport.error().what;
  }
  std::string theirs;
  const bool kubectl_does = test::kubectl_resolves(entry, theirs);
  // R2b: kubectl asks for a user name before it notices what the transport would refuse.
  if (contains(theirs, "Please enter Username") && !ours.empty()) {
    ++counts.undecided;
    return;
  }
  CHECK_MESSAGE(kubectl_does == ours.empty(), "kubectl: ", theirs, "library: ", ours);
  ++(ours.empty() ? counts.resolved : counts.refused);
  if (ours.empty() && entry.only_files_and_context) compare_values(entry, *config, counts);
}

}  // namespace

TEST_CASE("kubectl and the library agree on made-up kubeconfigs") {
  const std::uint32_t seeds = seed_count();
  const auto kubectl = test::find_kubectl("agreement on made-up kubeconfigs", seeds);
  if (!kubectl.present) {
    CHECK_FALSE(kubectl.must_be);
    return;
  }
  Counts counts;
  for (std::uint32_t seed = 1; seed <= seeds; ++seed) {
    CAPTURE(seed);
    const test::TemporaryFolder folder;
    compare(test::generate_case(seed, folder, {.certificate_flags = false, .extra_flags = false}), counts);
  }
  std::cout << seeds << " made-up kubeconfigs: both resolve " << counts.resolved << " (" << counts.compared
            << " compared value by value), both refuse " << counts.refused << ", kubectl asks for a name in "
            << counts.undecided << "\n";
  CHECK(counts.resolved * 4 > seeds);
  CHECK(counts.refused * 4 > seeds);
  CHECK(counts.compared * 10 > seeds);
  CHECK(counts.undecided * 10 < seeds);
}
