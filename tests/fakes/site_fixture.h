#pragma once
// The runbook's site with a client at it, for the tests of the fakes themselves.

#include <doctest/doctest.h>

#include "lib/cnpg/cluster_reader.h"
#include "tests/fakes/fake_transport.h"
#include "tests/fakes/site.h"

namespace truenas::fakes {

struct Site {
  FakeCluster cluster;
  FakeClock clock{cluster};
  std::unique_ptr<kube::Session> session = make_session(cluster, clock);
  kube::Reader reader{*session};
  kube::Writer writer{*session, any_permit()};
  explicit Site(const SiteOptions& options = {}) { REQUIRE(build_site(cluster, options)); }

  cnpg::ClusterState state() {
    auto read = cnpg::read_cluster(reader, "coder", "coder-postgres");
    REQUIRE_MESSAGE(read.ok(), (read.ok() ? "" : read.error().what));
    return std::move(read).value();
  }
  bool healthy_again() {
    return cluster.tick_until([&] { return cnpg::unhealthy_because(state()).empty(); }, 60);
  }
  void patch_cluster(std::string_view pointer, const json::Value& value, std::string_view subresource = "") {
    json::Value patch = json::Value::object();
    patch.set_at(pointer, value);
    REQUIRE(
        writer.patch(kube::k_cluster, "coder", "coder-postgres", kube::PatchKind::merge, patch, subresource)
            .ok());
  }
  void replace_instance(const std::string& name) {
    json::Value patch = json::Value::object();
    patch.set_at("/metadata/annotations/alpha.cnpg.io~1unrecoverable", "true");
    REQUIRE(writer.patch(kube::k_pod, "coder", name, kube::PatchKind::merge, patch).ok());
    cluster.tick();
  }
  void retain_all() {
    for (const Key& key : cluster.store.keys("", "persistentvolumes")) {
      cluster.store.update(
          key, [](json::Value& copy) { copy.set_at("/spec/persistentVolumeReclaimPolicy", "Retain"); });
    }
  }
  bool nothing_lost() {
    const auto database = cluster.database("coder", "coder-postgres");
    return database.acknowledged > 0 && database.stored == database.acknowledged;
  }
};

}  // namespace truenas::fakes
