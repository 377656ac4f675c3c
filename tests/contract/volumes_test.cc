#include <doctest/doctest.h>

#include "tests/contract/backend.h"

using namespace truenas;
using namespace truenas::contract;
using json::Value;
using kube::k_claim;
using kube::k_storage_class;
using kube::k_volume;
using kube::PatchKind;

namespace {

Value read(const kube::ResourceType& type, const std::string& name) {
  auto object = backend().reader().get(type, type.namespaced ? backend().ns : "", name);
  REQUIRE_MESSAGE(object.ok(), (object.ok() ? "" : object.error().what));
  return std::move(object).value();
}

bool there(const kube::ResourceType& type, const std::string& name) {
  return backend().reader().find(type, type.namespaced ? backend().ns : "", name).value().has_value();
}

void remove(const kube::ResourceType& type, const std::string& name) {
  kube::DeleteOptions options;
  options.uid = read(type, name).text_at("/metadata/uid");
  REQUIRE(backend().writer().remove(type, type.namespaced ? backend().ns : "", name, options).ok());
}

Value bound_claim(const std::string& name, const std::string& storage_class) {
  REQUIRE(backend().writer().create(k_claim, backend().ns, claim(name, storage_class)).ok());
  REQUIRE(eventually([&] { return read(k_claim, name).text_at("/status/phase") == "Bound"; }));
  return read(k_claim, name);
}

void set_policy(const std::string& volume, const char* policy) {
  Value patch = Value::object();
  patch.set_at("/spec/persistentVolumeReclaimPolicy", policy);
  REQUIRE(backend().writer().patch(k_volume, "", volume, PatchKind::merge, patch).ok());
}

void check_common_shape(const Value& volume, const Value& bound, const std::string& storage_class) {
  const std::string name = "pvc-" + bound.text_at("/metadata/uid");
  CHECK(volume.text_at("/metadata/name") == name);
  CHECK(volume.text_at("/spec/claimRef/uid") == bound.text_at("/metadata/uid"));
  CHECK(volume.text_at("/spec/claimRef/name") == bound.text_at("/metadata/name"));
  CHECK(volume.text_at("/spec/claimRef/namespace") == backend().ns);
  CHECK(volume.text_at("/spec/persistentVolumeReclaimPolicy") == "Delete");
  CHECK(volume.text_at("/spec/storageClassName") == storage_class);
  CHECK(volume.text_at("/spec/capacity/storage") == "1Gi");
  CHECK(volume.text_at("/status/phase") == "Bound");
  CHECK(kube::annotation_of(volume, "pv.kubernetes.io/provisioned-by") == volume.text_at("/spec/csi/driver"));
  CHECK(kube::annotation_of(bound, "pv.kubernetes.io/bind-completed") == "yes");
  CHECK(kube::annotation_of(bound, "volume.kubernetes.io/storage-provisioner") ==
        volume.text_at("/spec/csi/driver"));
}

}  // namespace

TEST_CASE("the old driver's volume: shape, Retain, Released") {
  const std::string name = fresh_name("old");
  const Value bound = bound_claim(name, "truenas-nfs");
  const std::string volume_name = bound.text_at("/spec/volumeName");
  const Value volume = read(k_volume, volume_name);
  check_common_shape(volume, bound, "truenas-nfs");
  CHECK(volume.text_at("/spec/csi/driver") == "truenas-nfs");
  CHECK(volume.text_at("/spec/csi/fsType") == "nfs");
  CHECK(volume.text_at("/spec/csi/volumeHandle") == volume_name);
  CHECK(volume.text_at("/spec/csi/volumeAttributes/node_attach_driver") == "nfs");
  CHECK(volume.text_at("/spec/csi/volumeAttributes/share").ends_with("/" + volume_name));
  set_policy(volume_name, "Retain");
  remove(k_claim, name);
  REQUIRE(eventually([&] { return !there(k_claim, name); }));
  REQUIRE(eventually([&] { return read(k_volume, volume_name).text_at("/status/phase") == "Released"; }));
  CHECK(read(k_volume, volume_name).text_at("/spec/claimRef/uid") == bound.text_at("/metadata/uid"));
  CHECK_FALSE(eventually([&] { return !there(k_volume, volume_name); }, Seconds(3)));
  set_policy(volume_name, "Delete");
  CHECK(eventually([&] { return !there(k_volume, volume_name); }));
}

TEST_CASE("the new driver's volume: shape, and gone with its claim") {
  const std::string name = fresh_name("new");
  const Value bound = bound_claim(name, "truenas-csi-nfs");
  const std::string volume_name = bound.text_at("/spec/volumeName");
  const Value volume = read(k_volume, volume_name);
  check_common_shape(volume, bound, "truenas-csi-nfs");
  CHECK(volume.text_at("/spec/csi/driver") == "csi.truenas.io");
  CHECK(volume.text_at("/spec/csi/volumeHandle") == "SAS/" + volume_name);
  CHECK(volume.text_at("/spec/csi/volumeAttributes/nfsPath") == "/mnt/SAS/" + volume_name);
  CHECK(volume.text_at("/spec/csi/volumeAttributes/protocol") == "nfs");
  REQUIRE(volume.at("/spec/csi/volumeAttributes/nfs.mapAllUser") != nullptr);
  CHECK(volume.text_at("/spec/csi/volumeAttributes/nfs.mapAllUser").empty());
  remove(k_claim, name);
  CHECK(eventually([&] { return !there(k_volume, volume_name); }));
}

TEST_CASE("a claim's spec, a volume's source and a class's parameters cannot be changed") {
  const std::string name = fresh_name("fixed");
  const Value bound = bound_claim(name, "truenas-nfs");
  Value patch = Value::object();
  patch.set_at("/spec/storageClassName", "truenas-csi-nfs");
  const auto claim_change = backend().writer().patch(k_claim, backend().ns, name, PatchKind::merge, patch);
  REQUIRE_FALSE(claim_change.ok());
  CHECK(claim_change.error().kind == Kind::refused);
  CHECK(claim_change.error().what.find("spec is immutable after creation") != std::string::npos);
  patch = Value::object();
  patch.set_at("/spec/csi/volumeHandle", "other");
  const auto volume_change =
      backend().writer().patch(k_volume, "", bound.text_at("/spec/volumeName"), PatchKind::merge, patch);
  REQUIRE_FALSE(volume_change.ok());
  CHECK(volume_change.error().kind == Kind::refused);
  CHECK(volume_change.error().what.find("is immutable after creation") != std::string::npos);
  patch = Value::object();
  patch.set_at("/parameters/pool", "OTHER");
  const auto class_change =
      backend().writer().patch(k_storage_class, "", "truenas-csi-nfs", PatchKind::merge, patch);
  REQUIRE_FALSE(class_change.ok());
  CHECK(class_change.error().kind == Kind::refused);
  remove(k_claim, name);
}

TEST_CASE("a claim of a class that is not there stays Pending and says why") {
  const std::string name = fresh_name("waiting");
  const auto made = backend().writer().create(k_claim, backend().ns, claim(name, "contract-no-such-class"));
  REQUIRE(made.ok());
  const std::string uid = made->text_at("/metadata/uid");
  CHECK(eventually([&] {
    const auto events = backend().reader().events_of(backend().ns, uid);
    REQUIRE(events.ok());
    for (const kube::EventLine& event : *events) {
      if (event.reason == "ProvisioningFailed" &&
          event.message == "storageclass.storage.k8s.io \"contract-no-such-class\" not found") {
        return true;
      }
    }
    return false;
  }));
  CHECK(read(k_claim, name).text_at("/status/phase") == "Pending");
  remove(k_claim, name);
}

TEST_CASE("a volume made for a claim by name binds to it and to no other") {
  const std::string volume_name = fresh_name(backend().ns + "-static");
  const std::string name = fresh_name("adopted");
  Value volume = Value::object({{"apiVersion", "v1"}, {"kind", "PersistentVolume"}});
  volume.set_at("/metadata/name", volume_name);
  volume.set_at("/spec/accessModes", Value::array({"ReadWriteOnce"}));
  volume.set_at("/spec/capacity/storage", "1Gi");
  volume.set_at("/spec/persistentVolumeReclaimPolicy", "Retain");
  volume.set_at("/spec/storageClassName", "truenas-csi-nfs");
  volume.set_at("/spec/csi",
                Value::object({{"driver", "csi.truenas.io"}, {"volumeHandle", "SAS/" + volume_name}}));
  volume.set_at("/spec/claimRef", Value::object({{"namespace", backend().ns}, {"name", name}}));
  REQUIRE(backend().writer().create(k_volume, "", volume).ok());
  Value wanted = claim(name, "truenas-csi-nfs");
  wanted.set_at("/spec/volumeName", volume_name);
  REQUIRE(backend().writer().create(k_claim, backend().ns, wanted).ok());
  REQUIRE(eventually([&] { return read(k_claim, name).text_at("/status/phase") == "Bound"; }));
  CHECK(read(k_claim, name).text_at("/spec/volumeName") == volume_name);
  REQUIRE(eventually([&] { return read(k_volume, volume_name).text_at("/status/phase") == "Bound"; }));
  CHECK(read(k_volume, volume_name).text_at("/spec/claimRef/uid") ==
        read(k_claim, name).text_at("/metadata/uid"));
  remove(k_claim, name);
  REQUIRE(eventually([&] { return read(k_volume, volume_name).text_at("/status/phase") == "Released"; }));
  remove(k_volume, volume_name);
  CHECK(eventually([&] { return !there(k_volume, volume_name); }));
}
