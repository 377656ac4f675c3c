#include <doctest/doctest.h>

#include "tests/contract/backend.h"

using namespace truenas;
using namespace truenas::contract;
using json::Value;
using kube::k_config_map;
using kube::PatchKind;

namespace {

Value created(const Value& object) {
  auto made = backend().writer().create(k_config_map, backend().ns, object);
  REQUIRE_MESSAGE(made.ok(), (made.ok() ? "" : made.error().what));
  return std::move(made).value();
}

bool exists(const std::string& name) {
  auto found = backend().reader().find(k_config_map, backend().ns, name);
  REQUIRE(found.ok());
  return found->has_value();
}

Result<void> removed(const std::string& name, const kube::DeleteOptions& options, bool dry_run = false) {
  return backend().writer(dry_run).remove(k_config_map, backend().ns, name, options);
}

Value owned_by(const Value& owner, const std::string& name) {
  Value object = config_map(name);
  object.set_at("/metadata/ownerReferences",
                Value::array({Value::object({{"apiVersion", "v1"},
                                             {"kind", "ConfigMap"},
                                             {"name", owner.text_at("/metadata/name")},
                                             {"uid", owner.text_at("/metadata/uid")}})}));
  return object;
}

}  // namespace

TEST_CASE("a delete strikes only the object that was meant") {
  const std::string name = fresh_name("meant");
  const Value object = created(config_map(name));
  kube::DeleteOptions options;
  options.uid = "11111111-2222-3333-4444-555555555555";
  const auto other = removed(name, options);
  REQUIRE_FALSE(other.ok());
  CHECK(other.error().kind == Kind::conflict);
  CHECK(other.error().what.find("UID in") != std::string::npos);
  options.uid = object.text_at("/metadata/uid");
  options.resource_version = "1";
  const auto stale = removed(name, options);
  REQUIRE_FALSE(stale.ok());
  CHECK(stale.error().kind == Kind::conflict);
  CHECK(exists(name));
  options.resource_version = object.text_at("/metadata/resourceVersion");
  CHECK(removed(name, options).ok());
  CHECK_FALSE(exists(name));
  CHECK(removed(name, options).ok());  // gone is what was wanted
}

TEST_CASE("a dry run of a delete, which travels in the body, deletes nothing") {
  const std::string name = fresh_name("spared");
  kube::DeleteOptions options;
  options.uid = created(config_map(name)).text_at("/metadata/uid");
  CHECK(removed(name, options, true).ok());
  CHECK(exists(name));
}

TEST_CASE("with a body, dryRun in the query is not seen and the delete persists") {
  const std::string name = fresh_name("query");
  const std::string uid = created(config_map(name)).text_at("/metadata/uid");
  kube::Call call;
  call.method = "DELETE";
  call.path = kube::resource_path(k_config_map, backend().ns, name).value();
  call.query = {{"dryRun", "All"}};
  call.content_type = "application/json";
  call.body = R"({"kind":"DeleteOptions","apiVersion":"v1","preconditions":{"uid":")" + uid + "\"}}";
  call.what = "delete configmaps " + name;
  call.read_only = false;
  CHECK(backend().session->call(call).ok());
  CHECK_FALSE(exists(name));
}

TEST_CASE("a finalizer holds an object that is being deleted") {
  const std::string name = fresh_name("held");
  Value object = config_map(name);
  object.set_at("/metadata/finalizers", Value::array({"contract.example/hold"}));
  kube::DeleteOptions options;
  options.uid = created(object).text_at("/metadata/uid");
  REQUIRE(removed(name, options).ok());
  const Value held = backend().reader().get(k_config_map, backend().ns, name).value();
  CHECK_FALSE(held.text_at("/metadata/deletionTimestamp").empty());
  REQUIRE(removed(name, options).ok());  // once more changes nothing
  CHECK(exists(name));
  Value release = Value::object();
  release.set_at("/metadata/finalizers", nullptr);
  REQUIRE(backend().writer().patch(k_config_map, backend().ns, name, PatchKind::merge, release).ok());
  CHECK_FALSE(exists(name));
}

TEST_CASE("what an owner owns goes with it, unless it is orphaned") {
  const Value owner = created(config_map(fresh_name("owner")));
  const std::string dependent = fresh_name("owned");
  created(owned_by(owner, dependent));
  kube::DeleteOptions options;
  options.uid = owner.text_at("/metadata/uid");
  REQUIRE(removed(owner.text_at("/metadata/name"), options).ok());
  CHECK(eventually([&] { return !exists(dependent); }));

  const Value parent = created(config_map(fresh_name("parent")));
  const std::string orphan = fresh_name("orphan");
  created(owned_by(parent, orphan));
  options.uid = parent.text_at("/metadata/uid");
  options.propagation = "Orphan";
  REQUIRE(removed(parent.text_at("/metadata/name"), options).ok());
  CHECK(eventually([&] { return !exists(parent.text_at("/metadata/name")); }));
  CHECK(backend()
            .reader()
            .get(k_config_map, backend().ns, orphan)
            .value()
            .items_at("/metadata/ownerReferences")
            .empty());
}

TEST_CASE("a claim that a pod mounts leaves only after the pod") {
  const std::string name = fresh_name("mounted");
  auto volume = backend().writer().create(kube::k_claim, backend().ns, claim(name, "contract-no-such-class"));
  REQUIRE(volume.ok());
  const auto nodes = backend().reader().list(kube::k_node, "");
  REQUIRE(nodes.ok());
  REQUIRE_FALSE(nodes->empty());
  Value pod = Value::object({{"apiVersion", "v1"}, {"kind", "Pod"}});
  const std::string pod_name = fresh_name("mounter");
  pod.set_at("/metadata/name", pod_name);
  pod.set_at("/spec/nodeName", nodes->front().text_at("/metadata/name"));
  pod.set_at("/spec/automountServiceAccountToken", false);
  pod.set_at("/spec/containers",
             Value::array({Value::object({{"name", "main"}, {"image", "localhost/none:1"}})}));
  pod.set_at("/spec/volumes",
             Value::array({Value::object(
                 {{"name", "data"}, {"persistentVolumeClaim", Value::object({{"claimName", name}})}})}));
  Result<Value> started = make_error(Kind::bug, "not tried");
  // The namespace's service account comes a moment after the namespace.
  REQUIRE(eventually([&] {
    started = backend().writer().create(kube::k_pod, backend().ns, pod);
    return started.ok();
  }));
  kube::DeleteOptions options;
  options.uid = volume->text_at("/metadata/uid");
  REQUIRE(backend().writer().remove(kube::k_claim, backend().ns, name, options).ok());
  const auto claim_there = [&] {
    return backend().reader().find(kube::k_claim, backend().ns, name).value().has_value();
  };
  CHECK_FALSE(eventually([&] { return !claim_there(); }, Seconds(3)));
  options.uid = started->text_at("/metadata/uid");
  options.grace_period_seconds = 0;
  REQUIRE(backend().writer().remove(kube::k_pod, backend().ns, pod_name, options).ok());
  CHECK(eventually([&] { return !claim_there(); }));
}
