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

Value read(const std::string& name) {
  auto object = backend().reader().get(k_config_map, backend().ns, name);
  REQUIRE(object.ok());
  return std::move(object).value();
}

Result<Value> patched(const std::string& name, PatchKind kind, const Value& patch) {
  return backend().writer().patch(k_config_map, backend().ns, name, kind, patch);
}

}  // namespace

TEST_CASE("a name can be created once") {
  const std::string name = fresh_name("once");
  const Value first = created(config_map(name));
  CHECK_FALSE(first.text_at("/metadata/uid").empty());
  CHECK_FALSE(first.text_at("/metadata/resourceVersion").empty());
  CHECK_FALSE(first.text_at("/metadata/creationTimestamp").empty());
  const auto again = backend().writer().create(k_config_map, backend().ns, config_map(name, "2"));
  REQUIRE_FALSE(again.ok());
  CHECK(again.error().kind == Kind::conflict);
  CHECK(again.error().what == "configmaps \"" + name + "\" already exists");
  CHECK(read(name).text_at("/data/value") == "1");
}

TEST_CASE("absent is known, not assumed") {
  const auto absent = backend().reader().find(k_config_map, backend().ns, "no-such");
  REQUIRE(absent.ok());
  CHECK_FALSE(absent->has_value());
  const auto wanted = backend().reader().get(k_config_map, backend().ns, "no-such");
  REQUIRE_FALSE(wanted.ok());
  CHECK(wanted.error().kind == Kind::not_found);
  CHECK(wanted.error().what == "configmaps \"no-such\" not found");
  const auto nowhere = backend().writer().create(k_config_map, "no-such-namespace", config_map("x"));
  REQUIRE_FALSE(nowhere.ok());
  CHECK(nowhere.error().kind == Kind::not_found);
  CHECK(nowhere.error().what == "namespaces \"no-such-namespace\" not found");
}

TEST_CASE("a bad name is refused") {
  const auto bad = backend().writer().create(k_config_map, backend().ns, config_map("Bad_Name"));
  REQUIRE_FALSE(bad.ok());
  CHECK(bad.error().kind == Kind::refused);
}

TEST_CASE("a merge patch changes what it names and keeps the rest") {
  const std::string name = fresh_name("merge");
  Value object = config_map(name);
  object.set_at("/metadata/labels", Value::object({{"keep", "1"}, {"drop", "1"}}));
  const Value before = created(object);
  Value patch = Value::object();
  patch.set_at("/metadata/labels", Value::object({{"drop", nullptr}, {"new", "2"}}));
  const auto after = patched(name, PatchKind::merge, patch);
  REQUIRE(after.ok());
  CHECK(after->at("/metadata/labels/drop") == nullptr);
  CHECK(after->text_at("/metadata/labels/keep") == "1");
  CHECK(after->text_at("/metadata/labels/new") == "2");
  CHECK(after->text_at("/data/value") == "1");
  CHECK(after->text_at("/metadata/resourceVersion") != before.text_at("/metadata/resourceVersion"));
  CHECK(after->text_at("/metadata/uid") == before.text_at("/metadata/uid"));
  const auto nothing = patched(name, PatchKind::merge, patch);
  REQUIRE(nothing.ok());
  CHECK(nothing->text_at("/metadata/resourceVersion") == after->text_at("/metadata/resourceVersion"));
}

TEST_CASE("a patch with an old resourceVersion is a conflict, with another uid it is refused") {
  const std::string name = fresh_name("version");
  const Value before = created(config_map(name));
  Value patch = Value::object();
  patch.set_at("/data/value", "2");
  REQUIRE(patched(name, PatchKind::merge, patch).ok());
  patch.set_at("/data/value", "3");
  patch.set_at("/metadata/resourceVersion", before.text_at("/metadata/resourceVersion"));
  const auto stale = patched(name, PatchKind::merge, patch);
  REQUIRE_FALSE(stale.ok());
  CHECK(stale.error().kind == Kind::conflict);
  CHECK(stale.error().what == "Operation cannot be fulfilled on configmaps \"" + name +
                                  "\": the object has been modified; please apply your changes to the latest "
                                  "version and try again");
  patch.remove_at("/metadata/resourceVersion");
  patch.set_at("/metadata/uid", "11111111-2222-3333-4444-555555555555");
  const auto other = patched(name, PatchKind::merge, patch);
  REQUIRE_FALSE(other.ok());
  CHECK(other.error().kind == Kind::refused);  // not a conflict: for a PATCH the uid is a field like others
  CHECK(other.error().what.find("field is immutable") != std::string::npos);
  CHECK(read(name).text_at("/data/value") == "2");
}

TEST_CASE("a JSON patch applies as a whole or not at all") {
  const std::string name = fresh_name("json");
  created(config_map(name));
  const auto operation = [](std::string_view op, std::string_view path, std::string_view value) {
    return Value::object({{"op", op}, {"path", path}, {"value", value}});
  };
  REQUIRE(
      patched(name, PatchKind::json,
              Value::array({operation("test", "/data/value", "1"), operation("replace", "/data/value", "2"),
                            operation("add", "/data/more", "3")}))
          .ok());
  const auto failed =
      patched(name, PatchKind::json,
              Value::array({operation("replace", "/data/more", "9"), operation("test", "/data/value", "1")}));
  REQUIRE_FALSE(failed.ok());
  CHECK(failed.error().kind == Kind::conflict);
  CHECK(read(name).text_at("/data/value") == "2");
  CHECK(read(name).text_at("/data/more") == "3");
}

TEST_CASE("apply creates what is not there and changes what is") {
  const std::string name = fresh_name("apply");
  REQUIRE(patched(name, PatchKind::apply, config_map(name)).ok());
  REQUIRE(patched(name, PatchKind::apply, config_map(name, "2")).ok());
  CHECK(read(name).text_at("/data/value") == "2");
}

TEST_CASE("a server-side dry run answers and changes nothing") {
  const std::string name = fresh_name("trial");
  const auto made = backend().writer(true).create(k_config_map, backend().ns, config_map(name));
  REQUIRE(made.ok());
  CHECK(made->text_at("/metadata/name") == name);
  CHECK_FALSE(backend().reader().find(k_config_map, backend().ns, name).value().has_value());
  created(config_map(name));
  Value patch = Value::object();
  patch.set_at("/data/value", "2");
  const auto changed =
      backend().writer(true).patch(k_config_map, backend().ns, name, PatchKind::merge, patch);
  REQUIRE(changed.ok());
  CHECK(changed->text_at("/data/value") == "2");
  CHECK(read(name).text_at("/data/value") == "1");
}

TEST_CASE("the main resource ignores status, and the status subresource everything else") {
  const std::string name = fresh_name(backend().ns + "-status");
  Value object = Value::object({{"apiVersion", "v1"}, {"kind", "PersistentVolume"}});
  object.set_at("/metadata/name", name);
  object.set_at("/spec/accessModes", Value::array({"ReadWriteOnce"}));
  object.set_at("/spec/capacity/storage", "1Gi");
  object.set_at("/spec/persistentVolumeReclaimPolicy", "Retain");
  object.set_at("/spec/storageClassName", "contract-none");
  object.set_at("/spec/nfs", Value::object({{"server", "127.0.0.1"}, {"path", "/nowhere"}}));
  const auto made = backend().writer().create(kube::k_volume, "", object);
  REQUIRE(made.ok());
  REQUIRE(eventually([&] {
    return backend().reader().get(kube::k_volume, "", name).value().text_at("/status/phase") == "Available";
  }));
  Value patch = Value::object();
  patch.set_at("/status/message", "by the main resource");
  patch.set_at("/metadata/labels/seen", "main");
  REQUIRE(backend().writer().patch(kube::k_volume, "", name, PatchKind::merge, patch).ok());
  CHECK(backend().reader().get(kube::k_volume, "", name).value().text_at("/status/message").empty());
  patch = Value::object();
  patch.set_at("/status/message", "by the subresource");
  patch.set_at("/spec/persistentVolumeReclaimPolicy", "Delete");
  REQUIRE(backend().writer().patch(kube::k_volume, "", name, PatchKind::merge, patch, "status").ok());
  const Value after = backend().reader().get(kube::k_volume, "", name).value();
  CHECK(after.text_at("/status/message") == "by the subresource");
  CHECK(after.text_at("/spec/persistentVolumeReclaimPolicy") == "Retain");
  CHECK(after.text_at("/metadata/labels/seen") == "main");
  kube::DeleteOptions options;
  options.uid = made->text_at("/metadata/uid");
  REQUIRE(backend().writer().remove(kube::k_volume, "", name, options).ok());
  CHECK(eventually([&] { return !backend().reader().find(kube::k_volume, "", name).value().has_value(); }));
}

TEST_CASE("who the cluster is, and what the user may do") {
  CHECK(backend().reader().server_version().value().starts_with("v1."));
  CHECK(backend().reader().cluster_uid().value().size() == 36);
  CHECK(backend().reader().can_i({"patch", "", "persistentvolumes", "", "", ""}).value());
}

TEST_CASE("a resource that the server does not know is an error, not an empty list") {
  const kube::ResourceType unknown{"no.such.group", "v1", "things", "Thing", true};
  const auto list = backend().reader().list(unknown, backend().ns);
  REQUIRE_FALSE(list.ok());
  CHECK(list.error().kind == Kind::not_found);
}
