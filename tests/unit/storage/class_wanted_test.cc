// The wanted class: the runbook's, with settings, or a file read strictly.

#include "lib/storage/class_wanted.h"

#include <doctest/doctest.h>

#include "lib/base/text.h"
#include "tests/unit/storage/class_text.h"

using namespace truenas;
using namespace truenas::storage;

TEST_CASE("the runbook's class, as the runbook prints it") {
  CHECK(json::write_yaml(runbook_class("truenas-csi-nfs")) ==
        "allowVolumeExpansion: true\n"
        "apiVersion: storage.k8s.io/v1\n"
        "kind: StorageClass\n"
        "metadata:\n"
        "  name: truenas-csi-nfs\n"
        "parameters:\n"
        "  compression: LZ4\n"
        "  nfs.datasetPermissionsGroup: \"0\"\n"
        "  nfs.datasetPermissionsMode: \"0777\"\n"
        "  nfs.datasetPermissionsUser: \"0\"\n"
        "  nfs.mapAllGroup: \"\"\n"
        "  nfs.mapAllUser: \"\"\n"
        "  pool: SAS\n"
        "  protocol: nfs\n"
        "provisioner: csi.truenas.io\n"
        "reclaimPolicy: Delete\n"
        "volumeBindingMode: Immediate\n");
}

TEST_CASE("settings change parameters and fields; empty and absent are different") {
  const auto set =
      with_settings(runbook_class("c"), {"pool=TANK", "nfs.mapAllUser-", "nfs.mountOptions=hard,nfsvers=4.2",
                                         "nfs.hosts=", "reclaimPolicy=Retain", "allowVolumeExpansion=false",
                                         "zfs.recordsize=16K"});
  REQUIRE(set.ok());
  const StorageClass wanted = read(*set);
  CHECK(wanted.parameters.at("pool") == "TANK");
  CHECK_FALSE(wanted.parameters.contains("nfs.mapAllUser"));
  CHECK(wanted.parameters.at("nfs.hosts").empty());
  CHECK(wanted.parameters.at("nfs.mountOptions") == "hard,nfsvers=4.2");
  CHECK(wanted.reclaim_policy == "Retain");
  CHECK(wanted.expansion == false);
}

TEST_CASE("settings that make no sense are refused with a hint") {
  struct Row {
    const char *setting, *what, *hint;
  };
  const Row rows[] = {
      {"pool", "--set wants KEY=VALUE", ""},
      {"=x", "--set wants KEY=VALUE", ""},
      {"-", "--set wants KEY=VALUE", ""},
      {"nfs.mapalluser=", "no build of the TrueNAS CSI driver knows this parameter",
       "did you mean nfs.mapAllUser?"},
      {"reclaimpolicy=Retain", "no build of the TrueNAS CSI driver knows", "did you mean reclaimPolicy?"},
      {"reclaimPolicy=Keep", "reclaimPolicy is \"Keep\": it is Delete or Retain", ""},
      {"allowVolumeExpansion=yes", "it is true or false", ""},
      {"provisioner=", "provisioner is empty", ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.setting);
    const auto set = with_settings(runbook_class("c"), {row.setting});
    REQUIRE_FALSE(set.ok());
    CHECK(set.error().kind == Kind::usage);
    CHECK(contains(set.error().what, row.what));
    CHECK(contains(join(set.error().hints, "\n"), row.hint));
  }
}

TEST_CASE("a file is read strictly") {
  struct Row {
    const char *text, *what;
  };
  const Row rows[] = {
      {"", "there is no document in it"},
      {"# nothing", "there is no document in it"},
      {"[]", "one StorageClass document is wanted"},
      {"text", "one StorageClass document is wanted"},
      {"{kind: List, items: []}", "it is a list"},
      {"{kind: Pod}", "it is a Pod; a StorageClass is wanted"},
      {"{metadata: {name: x}}", "kind is missing"},
      {"{kind: StorageClass, apiVersion: v1}", "apiVersion is \"v1\"; storage.k8s.io/v1 is wanted"},
      {"{kind: StorageClass, apiVersion: storage.k8s.io/v1}", "metadata.name is missing"},
      {"{kind: StorageClass, apiVersion: storage.k8s.io/v1, metadata: {name: A_b}}",
       "is no name for a StorageClass"},
      {"{kind: StorageClass, apiVersion: storage.k8s.io/v1, metadata: {name: a, namespace: b}}",
       "is in no namespace"},
      {"{kind: StorageClass, apiVersion: storage.k8s.io/v1, metadata: {name: a}}", "provisioner is missing"},
      {"{kind: StorageClass, apiVersion: storage.k8s.io/v1, metadata: {name: a}, provisioner: p, parameter: "
       "{}}",
       "a StorageClass has no field \"parameter\""},
      {"{kind: StorageClass, apiVersion: storage.k8s.io/v1, metadata: {name: a}, provisioner: p, parameters: "
       "{nfs.datasetPermissionsMode: 0777}}",
       "\"nfs.datasetPermissionsMode\" is 511 and must be a string"},
      {"{kind: StorageClass, apiVersion: storage.k8s.io/v1, metadata: {name: a}, provisioner: p, parameters: "
       "[]}",
       "parameters must be a map of strings"},
      {"{kind: StorageClass, apiVersion: storage.k8s.io/v1, metadata: {name: a}, provisioner: p, "
       "reclaimPolicy: "
       "delete}",
       "reclaimPolicy is \"delete\": it is Delete or Retain"},
      {"{kind: StorageClass, apiVersion: storage.k8s.io/v1, metadata: {name: a}, provisioner: p, "
       "mountOptions: hard}",
       "/mountOptions: expected array"},
      {"{kind: StorageClass, apiVersion: storage.k8s.io/v1, metadata: {name: a}, provisioner: p, "
       "allowVolumeExpansion: 'true'}",
       "/allowVolumeExpansion: expected boolean"},
      {"kind: StorageClass\n---\nkind: StorageClass\n", "document"},
      {"kind: [", "not valid YAML"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const auto parsed = parse_class_file(row.text, "class.yaml");
    REQUIRE_FALSE(parsed.ok());
    CHECK(parsed.error().what.starts_with("class.yaml: "));
    CHECK_MESSAGE(contains(parsed.error().what, row.what), parsed.error().what);
  }
}

TEST_CASE("what kubectl prints of a live class is a file") {
  const auto parsed = parse_class_file(
      "apiVersion: storage.k8s.io/v1\nkind: StorageClass\nprovisioner: csi.truenas.io\nmountOptions: null\n"
      "metadata:\n  name: a\n  uid: u\n  resourceVersion: '7'\n  creationTimestamp: null\n  labels: {a: b}\n"
      "  annotations: {kubectl.kubernetes.io/last-applied-configuration: '{}'}\n"
      "  managedFields: [{manager: kubectl}]\n",
      "-");
  REQUIRE(parsed.ok());
  const StorageClass wanted = read(*parsed);
  CHECK(wanted.uid.empty());
  CHECK(wanted.labels.at("a") == "b");
  CHECK(wanted.annotations.empty());
  CHECK_FALSE(wanted.mount_options);
  CHECK(parsed->at("/metadata/managedFields") == nullptr);
}
