// What the CloudNativePG operator does with instances, their claims and its status: the model in tests/fakes
// and the real operator must do the same, because every decision of the rolling move was tried on the model.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "lib/cnpg/cluster_reader.h"
#include "lib/cnpg/sql.h"
#include "tests/contract/backend.h"

using namespace truenas;
using namespace truenas::contract;
using json::Value;
using kube::PatchKind;

namespace {

constexpr const char* k_name = "held";
constexpr Seconds k_patience{240};

cnpg::ClusterState state() {
  auto read = cnpg::read_cluster(backend().reader(), backend().ns, k_name);
  REQUIRE_MESSAGE(read.ok(), (read.ok() ? "" : read.error().what));
  return std::move(read).value();
}

Value manifest(int instances) {
  Value cluster = Value::object({{"apiVersion", "postgresql.cnpg.io/v1"}, {"kind", "Cluster"}});
  cluster.set_at("/metadata/name", k_name);
  cluster.set_at("/metadata/namespace", backend().ns);
  cluster.set_at("/spec/instances", instances);
  // The real cluster has the image of its site and no registry.
  const auto site = backend().reader().find(kube::k_cluster, "coder", "coder-postgres");
  const bool has_site = site.ok() && site->has_value();
  cluster.set_at("/spec/imageName",
                 has_site ? (*site)->text_at("/spec/imageName") : "ghcr.io/cloudnative-pg/postgresql:15.18");
  cluster.set_at("/spec/stopDelay", 30);
  cluster.set_at("/spec/smartShutdownTimeout", 5);
  cluster.set_at("/spec/podSecurityContext",
                 Value::object({{"runAsNonRoot", true}, {"runAsUser", 26}, {"runAsGroup", 26}}));
  cluster.set_at("/spec/bootstrap/initdb", Value::object({{"database", "app"}, {"owner", "app"}}));
  cluster.set_at("/spec/storage", Value::object({{"storageClass", "truenas-nfs"}, {"size", "1Gi"}}));
  return cluster;
}

void patch(std::string_view pointer, const Value& value, std::string_view subresource = "") {
  Value change = Value::object();
  change.set_at(pointer, value);
  const auto patched =
      backend().writer().patch(kube::k_cluster, backend().ns, k_name, PatchKind::merge, change, subresource);
  REQUIRE_MESSAGE(patched.ok(), (patched.ok() ? "" : patched.error().what));
}

std::set<std::string> names_of_jobs_seen;
std::set<std::string> phases_seen;

// Healthy, with so many instances; hurries the joins by CHECKPOINT on the way.
void settle(int instances) {
  const bool settled = eventually(
      [&] {
        const cnpg::ClusterState now = state();
        phases_seen.insert(now.phase);
        for (const cnpg::InstanceJob& job : now.jobs) names_of_jobs_seen.insert(job.name);
        if (!now.jobs.empty() && cnpg::find_pod(now, now.current_primary) != nullptr) {
          kube::Writer writer = backend().writer();
          (void)cnpg::checkpoint(writer, {backend().ns, now.current_primary});
        }
        return now.ready_instances == instances && now.instance_names.size() == std::size_t(instances) &&
               cnpg::unhealthy_because(now).empty();
      },
      k_patience);
  std::string why;
  for (const std::string& reason : cnpg::unhealthy_because(state())) why += reason + "; ";
  REQUIRE_MESSAGE(settled, why);
}

const cnpg::InstanceClaim& only_claim_of(const cnpg::ClusterState& cluster, const std::string& instance) {
  const auto claims = cnpg::claims_of(cluster, instance);
  REQUIRE(claims.size() == 1);
  return *claims.front();
}

void retain_all() {
  Value keep = Value::object();
  keep.set_at("/spec/persistentVolumeReclaimPolicy", "Retain");
  for (const auto& [name, volume] : state().volumes) {
    REQUIRE(backend().writer().patch(kube::k_volume, "", name, PatchKind::merge, keep).ok());
  }
}

void remove(const kube::ResourceType& type, const std::string& ns, const std::string& name) {
  const auto object = backend().reader().find(type, ns, name);
  REQUIRE(object.ok());
  if (!object->has_value()) return;
  kube::DeleteOptions options;
  options.uid = kube::identity_of(**object).uid;
  REQUIRE(backend().writer().remove(type, ns, name, options).ok());
}

void begins_with_one_instance() {
  REQUIRE(backend().writer().create(kube::k_cluster, backend().ns, manifest(1)).ok());
  settle(1);
  const cnpg::ClusterState one = state();
  CHECK(one.phase == "Cluster in healthy state");
  CHECK(one.current_primary == "held-1");
  CHECK(one.target_primary == "held-1");
  CHECK(one.instance_names == std::vector<std::string>{"held-1"});
  const cnpg::InstanceClaim& claim = only_claim_of(one, "held-1");
  CHECK(claim.name == "held-1");
  CHECK(claim.role == "PG_DATA");
  CHECK(claim.pvc_status == "ready");
  CHECK(claim.phase == "Bound");
  CHECK(claim.owned);
  REQUIRE(one.pods.size() == 1);
  CHECK(one.pods.front().role == "primary");
  CHECK(backend().reader().get(kube::k_secret, backend().ns, "held-app").ok());
  for (const char* service : {"held-rw", "held-ro", "held-r"}) {
    CHECK(backend().reader().get(kube::k_service, backend().ns, service).ok());
  }
}

void joins_a_replica() {
  names_of_jobs_seen.clear();
  patch("/spec/instances", 2);
  settle(2);
  const cnpg::ClusterState two = state();
  CHECK(names_of_jobs_seen == std::set<std::string>{"held-2-join"});
  CHECK(two.instance_names == std::vector<std::string>{"held-1", "held-2"});
  REQUIRE(cnpg::find_pod(two, "held-2") != nullptr);
  CHECK(cnpg::find_pod(two, "held-2")->role == "replica");
  REQUIRE(two.replication.has_value());
  CHECK(two.replication->contains("held-2"));
}

// The claim goes with the instance, the new one has the name again and the class that the spec says now.
void replaces_what_is_marked() {
  retain_all();
  patch("/spec/storage/storageClass", "truenas-csi-nfs");
  const cnpg::ClusterState before = state();
  CHECK(only_claim_of(before, "held-2").storage_class == "truenas-nfs");  // a class in the spec moves nothing
  Value mark = Value::object();
  mark.set_at("/metadata/annotations/alpha.cnpg.io~1unrecoverable", "true");
  REQUIRE(backend().writer().patch(kube::k_pod, backend().ns, "held-2", PatchKind::merge, mark).ok());
  const std::string uid = only_claim_of(before, "held-2").uid;
  REQUIRE(eventually(
      [&] {
        const cnpg::ClusterState now = state();
        const auto claims = cnpg::claims_of(now, "held-2");
        return claims.size() == 1 && claims.front()->uid != uid;
      },
      k_patience));
  settle(2);
  const cnpg::ClusterState after = state();
  CHECK(only_claim_of(after, "held-2").storage_class == "truenas-csi-nfs");
  CHECK(only_claim_of(after, "held-1").uid == only_claim_of(before, "held-1").uid);
  CHECK(after.current_primary == "held-1");
  CHECK_FALSE(cnpg::find_pod(after, "held-2")->marked_unrecoverable);
  const std::string& old_volume = only_claim_of(before, "held-2").volume;
  REQUIRE(after.volumes.contains(old_volume));
  CHECK(after.volumes.at(old_volume).phase == "Released");
  CHECK(after.volumes.at(old_volume).reclaim_policy == "Retain");
}

void switches_over() {
  phases_seen.clear();
  const std::int64_t timeline = state().timeline;
  patch("/status/targetPrimary", "held-2", "status");
  REQUIRE(eventually(
      [&] {
        phases_seen.insert(state().phase);
        return state().current_primary == "held-2";
      },
      k_patience));
  settle(2);
  // Which phases a poll meets on the way is chance; none of them may be an end.
  for (const std::string& phase : phases_seen) CHECK_FALSE(cnpg::is_terminal_phase(phase));
  CHECK(state().timeline == timeline + 1);
  CHECK(cnpg::find_pod(state(), "held-2")->role == "primary");
  CHECK(cnpg::find_pod(state(), "held-1")->role == "replica");
}

// It is the replica that goes, whatever its number.
void scales_down() {
  patch("/spec/instances", 1);
  REQUIRE(eventually([] { return state().claims.size() == 1; }, k_patience));
  settle(1);
  CHECK(state().instance_names == std::vector<std::string>{"held-2"});
  CHECK(state().current_primary == "held-2");
}

}  // namespace

TEST_CASE("the operator: instances are made, joined, replaced, promoted and taken away") {
  begins_with_one_instance();
  joins_a_replica();
  replaces_what_is_marked();
  switches_over();
  scales_down();
  // Whatever was kept must not outlive the suite.
  const auto volumes = state().volumes;
  remove(kube::k_cluster, backend().ns, k_name);
  REQUIRE(eventually(
      [] {
        const auto claims = backend().reader().list(kube::k_claim, backend().ns);
        return claims.ok() && std::ranges::none_of(*claims, [](const Value& claim) {
                 return claim.text_at("/metadata/name").starts_with("held-");
               });
      },
      k_patience));
  for (const auto& [name, volume] : volumes) remove(kube::k_volume, "", name);
}
