#include "lib/kube/resource.h"

#include <doctest/doctest.h>

namespace truenas::kube {

TEST_CASE("paths of objects, collections and subresources") {
  CHECK(*resource_path(k_pod, "coder", "x", "exec") == "/api/v1/namespaces/coder/pods/x/exec");
  CHECK(*resource_path(k_pod, "", "") == "/api/v1/pods");
  CHECK(*resource_path(k_pod, "coder", "") == "/api/v1/namespaces/coder/pods");
  CHECK(*resource_path(k_volume, "", "pvc-1") == "/api/v1/persistentvolumes/pvc-1");
  CHECK(*resource_path(k_volume, "ignored", "pvc-1") == "/api/v1/persistentvolumes/pvc-1");
  CHECK(*resource_path(k_cluster, "db", "pg", "status") ==
        "/apis/postgresql.cnpg.io/v1/namespaces/db/clusters/pg/status");
  CHECK(*resource_path(k_pod, "ns", "a b?c#d") == "/api/v1/namespaces/ns/pods/a%20b%3Fc%23d");
}

TEST_CASE("names that would change which object is meant are refused (H7)") {
  for (const char* name : {".", "..", "a/b", "a%2fb", "../secrets/x"}) {
    CAPTURE(name);
    CHECK(resource_path(k_pod, "ns", name).error().kind == Kind::usage);
    CHECK(resource_path(k_pod, name, "p").error().kind == Kind::usage);
  }
  CHECK(resource_path(k_pod, "", "p").error().kind == Kind::usage);
}

TEST_CASE("objects are named as kind ns/name") {
  CHECK(describe(k_claim, "coder", "x") == "persistentvolumeclaim coder/x");
  CHECK(describe(k_volume, "coder", "pvc-1") == "persistentvolume pvc-1");
  json::Value object;
  CHECK(describe(object) == "object ");
  object.set("kind", "Pod");
  object.set_at("/metadata/name", "p\x1b");
  CHECK(describe(object) == "pod p\\x1b");
}

TEST_CASE("labels and annotations whose keys look like pointers") {
  json::Value object;
  object.set("metadata",
             json::Value::object({{"annotations", json::Value::object({{"a/b~c", "1"}, {"n", 5}})}}));
  CHECK(annotation_of(object, "a/b~c") == "1");
  CHECK(annotation_of(object, "n") == "");
  CHECK(annotation_of(object, "absent") == "");
  CHECK(label_of(object, "a/b~c") == "");
  CHECK(label_of(json::Value("text"), "x") == "");
}

}  // namespace truenas::kube
