#include "tests/contract/backend.h"
#include "tests/fakes/fake_transport.h"
#include "tests/fakes/site.h"

namespace truenas::contract {
namespace {

struct FakeBackend {
  fakes::FakeCluster cluster;
  fakes::FakeClock clock{cluster};
  std::unique_ptr<kube::Session> session = fakes::make_session(cluster, clock);
  Backend backend{session.get(), "contract", false};
  FakeBackend() {
    fakes::build_classes(cluster);
    json::Value ns = json::Value::object({{"apiVersion", "v1"}, {"kind", "Namespace"}});
    ns.set_at("/metadata/name", "contract");
    cluster.put(ns);
  }
};

}  // namespace

const Backend& backend() {
  static FakeBackend fake;
  return fake.backend;
}

void close_backend() {}

}  // namespace truenas::contract
