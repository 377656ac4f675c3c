#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "lib/base/text.h"
#include "lib/kube/kubeconfig.h"
#include "tests/contract/backend.h"

namespace truenas::contract {
namespace {

std::unique_ptr<kube::Session> real_session;

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "error: %s\n", why.c_str());
  std::exit(1);  // NOLINT: a test program without a backend has nothing to test
}

// Only the cluster that cluster-up started and recorded beside its kubeconfig is written to.
void require_test_cluster(const std::string& kubeconfig, const kube::Reader& reader) {
  std::string recorded;
  std::ifstream(kubeconfig + ".cluster-uid") >> recorded;
  if (recorded.empty()) give_up(kubeconfig + ".cluster-uid is not there: this is no test cluster");
  const Result<std::string> reached = reader.cluster_uid();
  if (!reached.ok()) give_up(reached.error().what);
  if (*reached != recorded) {
    give_up(fmt::format("{} reaches cluster {}, not the test cluster {}", kubeconfig, *reached, recorded));
  }
}

Backend open_backend() {
  const char* kubeconfig = std::getenv("TM_REAL_KUBECONFIG");
  if (kubeconfig == nullptr) give_up("TM_REAL_KUBECONFIG is not set");
  kube::ConnectionFlags flags;
  flags.kubeconfig = kubeconfig;
  auto config = kube::resolve_client_config(flags, kube::process_environment());
  if (!config.ok()) give_up(config.error().what);
  auto session = kube::open_session(
      config.value(), 0, [](std::string_view) {}, system_clock());
  if (!session.ok()) give_up(session.error().what);
  real_session = std::move(session).value();
  Backend backend{real_session.get(), "", true};
  require_test_cluster(kubeconfig, backend.reader());
  backend.ns = fmt::format("contract-{}", sha256_hex(format_micro_time(system_clock().wall())).substr(0, 8));
  json::Value ns = json::Value::object({{"apiVersion", "v1"}, {"kind", "Namespace"}});
  ns.set_at("/metadata/name", backend.ns);
  auto created = backend.writer().create(kube::k_namespace, "", ns);
  if (!created.ok()) give_up(created.error().what);
  return backend;
}

}  // namespace

const Backend& backend() {
  static const Backend real = open_backend();
  return real;
}

void close_backend() {
  const Backend& real = backend();
  auto ns = real.reader().get(kube::k_namespace, "", real.ns);
  if (!ns.ok()) return;
  kube::DeleteOptions options;
  options.uid = ns->text_at("/metadata/uid");
  const Result<void> removed = real.writer().remove(kube::k_namespace, "", real.ns, options);
  if (!removed.ok())
    std::fprintf(stderr, "namespace %s stays: %s\n", real.ns.c_str(), removed.error().what.c_str());
}

}  // namespace truenas::contract
