// What would lose a user's data here: a volume on another dataset than the old one's, one that would be
// deleted with its claim, and a home whose files change owner by being mounted.

#include "lib/storage/adoption.h"

#include <doctest/doctest.h>

#include "lib/base/text.h"
#include "lib/storage/volume.h"
#include "tests/unit/yaml.h"

using namespace truenas;
using namespace truenas::storage;

namespace {

// As Democratic CSI's provisioner leaves it.
json::Value old_volume(std::string_view patch = "{}") {
  return json::apply_merge_patch(yaml(R"(
apiVersion: v1
kind: PersistentVolume
metadata:
  annotations: {pv.kubernetes.io/provisioned-by: truenas-nfs}
  finalizers: [external-provisioner.volume.kubernetes.io/finalizer, kubernetes.io/pv-protection]
  name: pvc-1115063c
  uid: 2c7f186d-814f-4d0e-9423-9c7501a2a00b
spec:
  accessModes: [ReadWriteOnce]
  capacity: {storage: 2Gi}
  claimRef: {apiVersion: v1, kind: PersistentVolumeClaim, name: home, namespace: adopt, uid: c-1}
  csi:
    driver: truenas-nfs
    fsType: nfs
    volumeAttributes:
      node_attach_driver: nfs
      provisioner_driver: freenas-api-nfs
      server: 127.0.0.1
      share: /mnt/SAS/RKE2/pvc-1115063c
      storage.kubernetes.io/csiProvisionerIdentity: 1795354085387-1864-truenas-nfs
    volumeHandle: pvc-1115063c
  persistentVolumeReclaimPolicy: Delete
  storageClassName: truenas-nfs
  volumeMode: Filesystem
status: {phase: Bound}
)"),
                                 yaml(patch));
}

AdoptionTarget target() {
  return {"adopt-home", "csi.truenas.io", "truenas-csi-nfs", "adopt", "home", {}, {}};
}

AdoptionLook look(std::string_view volume_patch = "{}") {
  AdoptionLook look;
  look.volume = old_volume(volume_patch);
  look.claim = yaml(
      "{metadata: {name: home, namespace: adopt}, spec: {accessModes: [ReadWriteOnce], resources: {requests: "
      "{storage: 2Gi}}}}");
  look.old_driver_attaches = false;
  look.old_fs_group_policy = "ReadWriteOnceWithFSType", look.new_fs_group_policy = "File";
  look.snapshots.emplace(), look.clones.emplace();
  return look;
}

// "refuse adopt-handle; ask adopt-clones", without the two notes that are always there.
std::string found(const AdoptionLook& look) {
  constexpr const char* k_names[] = {"refuse", "ask", "wait", "note"};
  std::vector<std::string> lines;
  for (const AdoptionFinding& finding : adoption_findings(look)) {
    if (finding.id == "adopt-downtime" || finding.id == "adopt-stays") continue;
    lines.push_back(std::string(k_names[static_cast<int>(finding.severity)]) + " " + finding.id);
    CHECK_FALSE(finding.what.empty());
  }
  return join(lines, "; ");
}

std::string what(const AdoptionLook& look, const std::string& id) {
  for (const AdoptionFinding& finding : adoption_findings(look)) {
    if (finding.id == id) return finding.what;
  }
  return "";
}

}  // namespace

TEST_CASE("an adopted volume, golden: the dataset of the old one, Retain, reserved by name") {
  const auto volume = adopted_volume(old_volume(), target());
  REQUIRE(volume.ok());
  CHECK(json::write_yaml(*volume) == R"(apiVersion: v1
kind: PersistentVolume
metadata:
  labels:
    app.kubernetes.io/component: adopted-volume
    app.kubernetes.io/managed-by: kubectl-truenas-migrate
  name: adopt-home
spec:
  accessModes:
  - ReadWriteOnce
  capacity:
    storage: 2Gi
  claimRef:
    apiVersion: v1
    kind: PersistentVolumeClaim
    name: home
    namespace: adopt
  csi:
    driver: csi.truenas.io
    volumeAttributes:
      nfsPath: /mnt/SAS/RKE2/pvc-1115063c
      nfsServer: 127.0.0.1
      protocol: nfs
    volumeHandle: SAS/RKE2/pvc-1115063c
  persistentVolumeReclaimPolicy: Retain
  storageClassName: truenas-csi-nfs
  volumeMode: Filesystem
)");
  // The two are known to be one dataset, whichever of them is asked.
  CHECK(overlap_of(dataset_of(old_volume()), dataset_of(*volume)) == Overlap::same);
  CHECK(overlap_of(dataset_of(*volume), dataset_of(old_volume())) == Overlap::same);
  CHECK(read_volume(*volume).kept);
}

TEST_CASE("mount options, labels and annotations come along; a probe's volume cannot be written") {
  AdoptionTarget with = target();
  with.labels["truenas-migrate/for-uid"] = "u";
  with.annotations["truenas-migrate/cutover"] = "{}";
  const auto volume = adopted_volume(old_volume("{spec: {mountOptions: [nfsvers=4.2, noatime]}}"), with);
  REQUIRE(volume.ok());
  CHECK(json::write(*volume->at("/spec/mountOptions")) == R"(["nfsvers=4.2","noatime"])");
  CHECK(volume->text_at("/metadata/labels/truenas-migrate~1for-uid") == "u");
  CHECK(volume->text_at("/metadata/annotations/truenas-migrate~1cutover") == "{}");
  const auto probe = read_only_adopted_volume(old_volume(), target());
  REQUIRE(probe.ok());
  CHECK(probe->boolean_at("/spec/csi/readOnly"));
  CHECK(json::write(*probe->at("/spec/accessModes")) == R"(["ReadOnlyMany"])");
  CHECK(probe->text_at("/spec/persistentVolumeReclaimPolicy") == "Retain");
}

TEST_CASE("a volume whose dataset cannot be told for certain is not adopted") {
  const auto why = [](std::string_view patch) {
    const auto volume = adopted_volume(old_volume(patch), target());
    REQUIRE_FALSE(volume.ok());
    CHECK(volume.error().kind == Kind::refused);
    const std::string cannot = "cannot adopt persistentvolume pvc-1115063c: ";
    CHECK(volume.error().what.starts_with(cannot));
    return volume.error().what.substr(cannot.size());
  };
  const std::string attributes = "{spec: {csi: {volumeAttributes: ";
  CHECK(why("{spec: {csi: null, nfs: {server: nas, path: /mnt/SAS/a}}}") ==
        "it is no volume of a CSI driver with attributes");
  CHECK(why(attributes + "{node_attach_driver: iscsi}}}}") ==
        "it was not made by an NFS driver of Democratic CSI");
  // Its volumes are directories in one share, not datasets.
  CHECK(why(attributes + "{provisioner_driver: nfs-client}}}}") ==
        "it was not made by an NFS driver of Democratic CSI");
  CHECK(why(attributes + "{server: null}}}}") == "it does not say its server and share");
  CHECK(why(attributes + "{share: null}}}}") == "it does not say its server and share");
  for (const char* share : {"/export/pvc-1115063c", "/mnt/pvc-1115063c", "/mnt/SAS/../pvc-1115063c",
                            "/mnt/SAS//pvc-1115063c", "SAS/RKE2/pvc-1115063c"}) {
    CAPTURE(share);
    CHECK(contains(why(attributes + "{share: " + share + "}}}}"), "which dataset it is cannot be told"));
  }
  CHECK(
      why(attributes + "{share: /mnt/SAS/RKE2/elsewhere}}}}") ==
      "its share /mnt/SAS/RKE2/elsewhere is not named as its dataset (pvc-1115063c): the dataset is mounted "
      "somewhere else");
  CHECK(contains(why("{spec: {csi: {volumeHandle: null}}}"), "mounted somewhere else"));
  CHECK(why("{spec: {volumeMode: Block}}") == "it is a block device");
  CHECK(why("{spec: {capacity: null}}") == "it does not say its capacity and access modes");
  CHECK(why("{spec: {accessModes: []}}") == "it does not say its capacity and access modes");
  CHECK_FALSE(adopted_volume(json::Value(), target()).ok());
  AdoptionTarget nobody = target();
  nobody.claim = "";
  CHECK(adopted_volume(old_volume(), nobody).error().kind == Kind::bug);
}

TEST_CASE("nothing speaks against an ordinary home; what stays as it is, is said") {
  CHECK(found(look()) == "");
  CHECK(what(look(), "adopt-downtime") == "at most 10 s away: the old driver does not attach its volumes");
  CHECK(contains(what(look(), "adopt-stays"), "the data stays where it is, /mnt/SAS/RKE2/pvc-1115063c"));
  AdoptionLook attaches = look();
  attaches.old_driver_attaches = true;
  CHECK(contains(what(attaches, "adopt-downtime"), "at most 20 s away"));
  attaches.old_driver_attaches.reset();
  CHECK(contains(what(attaches, "adopt-downtime"), "at most 20 s away: whether"));
}

TEST_CASE("what is found before an adoption, worst first") {
  CHECK(found(look("{spec: {csi: {volumeAttributes: {share: /mnt/other}}}}")) == "refuse adopt-handle");
  CHECK(found(look("{metadata: {deletionTimestamp: now}}")) == "refuse adopt-terminating");
  CHECK(found(look("{spec: {persistentVolumeReclaimPolicy: Recycle}}")) == "refuse adopt-policy");
  CHECK(found(look("{spec: {persistentVolumeReclaimPolicy: Retain}}")) == "");
  CHECK(found(look("{spec: {capacity: {storage: many}}}")) == "refuse adopt-size");
  CHECK(found(look("{spec: {capacity: {storage: 1Gi}}}")) == "ask adopt-size");
  AdoptionLook small = look();
  small.claim.set_at("/spec/resources/requests/storage", "500Mi");
  CHECK(found(small) == "note adopt-size");

  AdoptionLook unknown = look();
  unknown.snapshots.reset(), unknown.clones.reset();
  CHECK(found(unknown) == "ask adopt-snapshots; ask adopt-clones");
  AdoptionLook with = look("{metadata: {deletionTimestamp: now}}");
  with.snapshots->push_back("volumesnapshot adopt/before (content c)");
  with.attachments = {
      yaml(
          "{metadata: {name: csi-1}, spec: {nodeName: node1, source: {persistentVolumeName: pvc-1115063c}}}"),
      yaml("{metadata: {name: csi-2}, spec: {nodeName: node1, source: {persistentVolumeName: another}}}")};
  with.others = {{"backup", "Bound", "ops/backup", Overlap::above}, {"x", "Bound", "", Overlap::unknown}};
  CHECK(found(with) ==
        "refuse adopt-terminating; ask adopt-shared-dataset; ask adopt-snapshots; wait adopt-attached");
  CHECK(what(with, "adopt-attached") == "the old volume is attached to node node1 (volumeattachment csi-1)");
}

TEST_CASE("fsGroup is a trap only where the old driver never applied it") {
  const json::Value grouped = yaml("{securityContext: {fsGroup: 1000}}");
  const char* k_default = "ReadWriteOnceWithFSType";
  struct Row {
    const char *volume, *old_policy, *new_policy;
    bool trap;
  };
  const Row rows[] = {
      {"{}", k_default, "File", false},  // applied all the time
      {"{spec: {accessModes: [ReadWriteOncePod]}}", k_default, "File", false},
      {"{spec: {accessModes: [ReadWriteMany]}}", k_default, "File", true},
      {"{spec: {csi: {fsType: null}}}", k_default, "File", true},
      {"{}", "None", "File", true},
      {"{}", "", "File", true},  // unknown
      {"{spec: {accessModes: [ReadWriteMany]}}", "File", "File", false},
      {"{spec: {accessModes: [ReadWriteMany]}}", k_default, "", true},
      {"{spec: {accessModes: [ReadWriteMany]}}", k_default, "None", false},
      {"{spec: {accessModes: [ReadWriteMany]}}", k_default, k_default, false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.volume);
    CAPTURE(row.old_policy);
    CAPTURE(row.new_policy);
    CHECK(fs_group_would_change(grouped, old_volume(row.volume), row.old_policy, row.new_policy) == row.trap);
    CHECK_FALSE(fs_group_would_change(yaml("{securityContext: {runAsUser: 1000}}"), old_volume(row.volume),
                                      row.old_policy, row.new_policy));
  }
  // A stopped workspace: nobody knows what will mount it.
  CHECK(found(look("{spec: {accessModes: [ReadWriteMany]}}")) == "ask adopt-fs-group");
  AdoptionLook trapped = look("{spec: {accessModes: [ReadWriteMany]}}");
  trapped.workloads = {{"deployment coder-x", grouped}, {"pod other", yaml("{}")}};
  CHECK(found(trapped) == "ask adopt-fs-group");
  CHECK(contains(what(trapped, "adopt-fs-group"), "deployment coder-x has fsGroup 1000"));
}

TEST_CASE("snapshots and clones of a volume are found by handle and by claim") {
  const std::vector<json::Value> contents = {
      yaml("{metadata: {name: c1}, spec: {driver: truenas-nfs, source: {volumeHandle: pvc-1115063c}, "
           "volumeSnapshotRef: {namespace: adopt, name: before}}}"),
      yaml("{metadata: {name: c2}, spec: {driver: truenas-nfs, source: {snapshotHandle: "
           "'SAS/RKE2/pvc-1115063c@x'}, "
           "volumeSnapshotRef: {namespace: adopt, name: given}}}"),
      yaml("{metadata: {name: c3}, spec: {driver: truenas-nfs, source: {volumeHandle: pvc-other}}}"),
      yaml("{metadata: {name: c4}, spec: {driver: other, source: {volumeHandle: pvc-1115063c}}}"),
      yaml("{metadata: {name: c5}, spec: {driver: truenas-nfs, source: {snapshotHandle: "
           "'SAS/RKE2/pvc-1115063c-b@x'}}}")};
  CHECK(join(snapshots_of(old_volume(), contents), "; ") ==
        "volumesnapshot adopt/before (content c1); volumesnapshot adopt/given (content c2)");
  CHECK(snapshots_of(json::Value(), contents).empty());

  const json::Value home = yaml("{metadata: {name: home, namespace: adopt}}");
  const std::vector<json::Value> claims = {
      home,
      yaml("{metadata: {name: a, namespace: adopt}, spec: {dataSource: {kind: PersistentVolumeClaim, name: "
           "home}}}"),
      yaml("{metadata: {name: b, namespace: else}, spec: {dataSource: {kind: PersistentVolumeClaim, name: "
           "home}}}"),
      yaml("{metadata: {name: c, namespace: else}, spec: {dataSourceRef: {kind: PersistentVolumeClaim, name: "
           "home, "
           "namespace: adopt}}}"),
      yaml(
          "{metadata: {name: d, namespace: adopt}, spec: {dataSource: {kind: VolumeSnapshot, name: home}}}")};
  CHECK(join(clones_of(home, claims), "; ") == "persistentvolumeclaim adopt/a; persistentvolumeclaim else/c");
}

TEST_CASE("what the new driver really mounts is compared with the old share") {
  const auto check = [](std::string_view status) {
    return check_attachment(
        yaml("{spec: {nodeName: node1, source: {persistentVolumeName: adopt-home}}, status: " +
             std::string(status) + "}"),
        old_volume());
  };
  CHECK(check("{attached: true, attachmentMetadata: {nfsPath: /mnt/SAS/RKE2/pvc-1115063c, nfsServer: x}}")
            .ok());
  const auto other = check("{attached: true, attachmentMetadata: {nfsPath: /mnt/SAS/pvc-1115063c}}");
  CHECK(other.error().kind == Kind::mismatch);
  CHECK(other.error().what ==
        "persistentvolume adopt-home on node node1: the new driver mounts /mnt/SAS/pvc-1115063c, the old one "
        "mounted "
        "/mnt/SAS/RKE2/pvc-1115063c");
  CHECK(check("{attached: true}").error().kind == Kind::unavailable);
  CHECK(check("{attached: false}").error().kind == Kind::unavailable);
  const auto failed = check("{attached: false, attachError: {message: 'volume X not found'}}");
  CHECK(failed.error().kind == Kind::refused);
  CHECK(contains(failed.error().what, "volume X not found"));
  CHECK_FALSE(check_attachment(yaml("{status: {attached: true, attachmentMetadata: {nfsPath: /mnt/a}}}"),
                               json::Value())
                  .ok());
}
