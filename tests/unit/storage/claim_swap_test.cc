// What would lose a user's data here: a claim created again in a way that makes the next Terraform plan
// destroy it, a setting dropped without a word, a home taken for a temporary claim or the other way round.

#include "lib/storage/claim_swap.h"

#include <doctest/doctest.h>

#include "lib/base/text.h"
#include "lib/storage/volume.h"
#include "tests/unit/yaml.h"

using namespace truenas;
using namespace truenas::storage;

namespace {

// Everything that a claim of a workspace can carry, as a cluster has it.
json::Value original() {
  return yaml(R"(
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: coder-7e7e2b6c-home
  generateName: coder-
  namespace: coder-workspaces
  uid: 1115063c-c9cc-4cf2-95f7-08efaa88b20e
  resourceVersion: "3900"
  generation: 2
  selfLink: /api/v1/x
  creationTimestamp: "2026-11-22T13:30:08Z"
  deletionGracePeriodSeconds: 0
  managedFields: [{manager: HashiCorp}]
  finalizers: [kubernetes.io/pvc-protection]
  labels:
    app.kubernetes.io/name: coder-pvc
    com.coder.resource: "true"
    com.coder.workspace.id: 7e7e2b6c
    unknown.example.com/x: ""
  annotations:
    com.coder.user.email: anna@example.com
    kubectl.kubernetes.io/last-applied-configuration: "{}"
    kubectl.kubernetes.io/restartedAt: now
    control-plane.alpha.kubernetes.io/leader: "{}"
    migrate.kubernetes.io/moved: "yes"
    pv.kubernetes.io/bind-completed: "yes"
    pv.kubernetes.io/bound-by-controller: "yes"
    truenas-migrate/nudge: "1"
    volume.beta.kubernetes.io/storage-class: truenas-nfs
    volume.beta.kubernetes.io/storage-provisioner: truenas-nfs
    volume.kubernetes.io/selected-node: node1
    volume.kubernetes.io/storage-provisioner: truenas-nfs
spec:
  accessModes: [ReadWriteOnce]
  dataSource: {kind: PersistentVolumeClaim, name: seed}
  dataSourceRef: {kind: PersistentVolumeClaim, name: seed}
  futureField: {kept: true}
  resources:
    limits: {storage: 40Gi}
    requests: {storage: "10737418240"}
  selector: {matchLabels: {a: b}}
  storageClassName: truenas-nfs
  volumeMode: Filesystem
  volumeName: pvc-1115063c-c9cc-4cf2-95f7-08efaa88b20e
status:
  phase: Bound
  capacity: {storage: 20Gi}
)");
}

json::Value with(std::string_view patch) {
  return json::apply_merge_patch(original(), yaml(patch));
}

std::string differences(const json::Value& found) {
  const auto expected = replacement_claim(original(), "truenas-csi-nfs", "pv-new");
  REQUIRE(expected.ok());
  std::string text;
  for (const ClaimDifference& difference : compare_claims(*expected, found)) {
    text += (difference.harmless ? "(" : "") + describe(difference) + (difference.harmless ? ")\n" : "\n");
  }
  return text;
}

// What the cluster makes of the claim that we create.
json::Value as_created() {
  json::Value claim = *replacement_claim(original(), "truenas-csi-nfs", "pv-new");
  return json::apply_merge_patch(claim, yaml(R"(
metadata:
  uid: fresh
  resourceVersion: "1"
  creationTimestamp: "2026-11-23T00:00:00Z"
  finalizers: [kubernetes.io/pvc-protection]
  annotations: {pv.kubernetes.io/bind-completed: "yes"}
spec: {resources: {requests: {storage: 10Gi}}}
status: {phase: Bound}
)"));
}

}  // namespace

TEST_CASE("the replacement of a claim, golden: only the strip list is gone") {
  const auto claim = replacement_claim(original(), "truenas-csi-nfs", "pv-new");
  REQUIRE(claim.ok());
  CHECK(json::write_yaml(*claim) == R"(apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  annotations:
    com.coder.user.email: anna@example.com
    kubectl.kubernetes.io/restartedAt: now
    migrate.kubernetes.io/moved: "yes"
  generateName: coder-
  labels:
    app.kubernetes.io/name: coder-pvc
    com.coder.resource: "true"
    com.coder.workspace.id: 7e7e2b6c
    unknown.example.com/x: ""
  name: coder-7e7e2b6c-home
  namespace: coder-workspaces
spec:
  accessModes:
  - ReadWriteOnce
  futureField:
    kept: true
  resources:
    limits:
      storage: 40Gi
    requests:
      storage: "10737418240"
  selector:
    matchLabels:
      a: b
  storageClassName: truenas-csi-nfs
  volumeMode: Filesystem
  volumeName: pv-new
)");
}

TEST_CASE("the way back is the same: the replacement of the replacement") {
  const auto back =
      replacement_claim(as_created(), "truenas-nfs", "pvc-1115063c-c9cc-4cf2-95f7-08efaa88b20e");
  REQUIRE(back.ok());
  const auto forth = replacement_claim(
      *json::parse(json::write(with("{metadata: {uid: other, creationTimestamp: later}}")), "test"),
      "truenas-nfs", "pvc-1115063c-c9cc-4cf2-95f7-08efaa88b20e");
  REQUIRE(forth.ok());
  json::Value expected = *forth;
  expected.set_at("/spec/resources/requests/storage", "10Gi");
  CHECK(*back == expected);
}

TEST_CASE("a claim with nothing to strip gets no empty annotations") {
  json::Value claim = with("{metadata: {annotations: null}}");
  CHECK(replacement_claim(claim, "new", "pv")->at("/metadata/annotations") == nullptr);
  claim = with("{metadata: {annotations: null}}");
  claim.set_at("/metadata/annotations/pv.kubernetes.io~1bind-completed", "yes");
  CHECK(replacement_claim(claim, "new", "pv")->at("/metadata/annotations") == nullptr);
}

TEST_CASE("what a new claim cannot carry refuses the swap, by name") {
  const auto refusal = [](const json::Value& claim) {
    const auto made = replacement_claim(claim, "truenas-csi-nfs", "pv-new");
    REQUIRE_FALSE(made.ok());
    CHECK(made.error().kind == Kind::refused);
    CHECK_FALSE(trial_claim(claim, "truenas-csi-nfs").ok());
    return made.error().what;
  };
  const std::string cannot =
      "cannot re-create persistentvolumeclaim coder-workspaces/coder-7e7e2b6c-home as it is: ";
  CHECK(refusal(with("{metadata: {finalizers: [kubernetes.io/pvc-protection, example.com/hold]}}")) ==
        cannot + "its finalizer example.com/hold would be lost");
  CHECK(refusal(with("{metadata: {ownerReferences: [{kind: StatefulSet, name: web, uid: u}]}}")) ==
        cannot + "its owner StatefulSet web would be lost");
  CHECK(refusal(with("{spec: {volumeAttributesClassName: gold}}")) ==
        cannot + "its VolumeAttributesClass gold would be lost");
  CHECK(refusal(with("{metadata: {deletionTimestamp: '2026-11-23T00:00:00Z'}}")) ==
        cannot + "it is being deleted since 2026-11-23T00:00:00Z");
  // A document of which only some fields were asked for.
  CHECK(refusal(with("{metadata: {creationTimestamp: null}}")) ==
        cannot + "it has no /metadata/creationTimestamp");
  CHECK(refusal(with("{spec: {resources: null}}")) == cannot + "it has no /spec/resources/requests/storage");
  CHECK(refusal(with("{spec: {accessModes: []}}")) == cannot + "it has no /spec/accessModes/0");
  CHECK_FALSE(replacement_claim(json::Value(), "new", "pv").ok());
  CHECK_FALSE(replacement_claim(json::Value("text"), "new", "pv").ok());
  CHECK_FALSE(replacement_claim(original(), "", "pv").ok());
  CHECK_FALSE(replacement_claim(original(), "new", "").ok());
}

TEST_CASE("which annotations are stripped: the volume machinery's, nobody else's") {
  for (const char* key : {"pv.kubernetes.io/bind-completed", "volume.kubernetes.io/selected-node",
                          "volume.beta.kubernetes.io/storage-class", "volume.alpha.kubernetes.io/x",
                          "truenas-migrate/nudge", "kubectl.kubernetes.io/last-applied-configuration"}) {
    CAPTURE(key);
    CHECK(is_stripped_annotation(key));
  }
  for (const char* key : {"com.coder.user.email", "volume.example.com/x", "pv.kubernetes.io",
                          "app.kubernetes.io/name", "argocd.argoproj.io/tracking-id", "", "/",
                          "kubectl.kubernetes.io/restartedAt", "my-volume.kubernetes.io/x"}) {
    CAPTURE(key);
    CHECK_FALSE(is_stripped_annotation(key));
  }
}

TEST_CASE("the trial is the replacement under another name") {
  const auto trial = trial_claim(original(), "truenas-csi-nfs");
  REQUIRE(trial.ok());
  const std::string& name = trial->text_at("/metadata/name");
  CHECK(name != original().text_at("/metadata/name"));
  CHECK(trial->text_at("/spec/volumeName") == name);
  auto expected = *replacement_claim(original(), "truenas-csi-nfs", name);
  expected.set_at("/metadata/name", name);
  CHECK(*trial == expected);
}

TEST_CASE("a temporary claim is found again from its original, and is nobody's home") {
  const auto claim = temporary_claim(original(), "truenas-csi-nfs", "12Gi");
  REQUIRE(claim.ok());
  CHECK(json::write_yaml(*claim) == R"(apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  annotations:
    truenas-migrate/for-claim: coder-workspaces/coder-7e7e2b6c-home
  labels:
    app.kubernetes.io/component: temporary-claim
    app.kubernetes.io/managed-by: kubectl-truenas-migrate
    truenas-migrate/for-uid: 1115063c-c9cc-4cf2-95f7-08efaa88b20e
  name: truenas-migrate-coder-7e7e2b6c-home-0c8eb15f
  namespace: coder-workspaces
spec:
  accessModes:
  - ReadWriteOnce
  resources:
    requests:
      storage: 12Gi
  storageClassName: truenas-csi-nfs
  volumeMode: Filesystem
)");
  CHECK(is_temporary_claim_of(*claim, original()));
  CHECK_FALSE(is_temporary_claim_of(original(), original()));
  CHECK_FALSE(is_temporary_claim_of(*claim, with("{metadata: {uid: later}}")));
  CHECK_FALSE(is_temporary_claim_of(*claim, with("{metadata: {uid: null}}")));
  CHECK_FALSE(is_temporary_claim_of(*claim, with("{metadata: {namespace: elsewhere}}")));
  CHECK(temporary_claim_name(with("{metadata: {uid: later}}")) != claim->text_at("/metadata/name"));
  CHECK_FALSE(temporary_claim(with("{metadata: {uid: null}}"), "new", "1Gi").ok());
  CHECK_FALSE(temporary_claim(with("{spec: {accessModes: null}}"), "new", "1Gi").ok());
}

TEST_CASE("a temporary claim's name is valid for every name that a claim can have") {
  const std::string long_name(63, 'a');
  for (const std::string& name : {std::string("a"), long_name, long_name + "." + long_name,
                                  std::string(22, 'b') + "." + long_name, std::string("a.b")}) {
    CAPTURE(name);
    json::Value claim = original();
    claim.set_at("/metadata/name", name);
    const std::string temporary = temporary_claim_name(claim);
    CHECK(temporary.size() + std::string("-trial").size() <= 63);
    CHECK(temporary.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos);
    CHECK(temporary == temporary_claim_name(claim));
  }
  json::Value one = original(), other = original();
  one.set_at("/metadata/name", "a.b");
  other.set_at("/metadata/name", "a-b");
  CHECK(temporary_claim_name(one) != temporary_claim_name(other));
}

TEST_CASE("a claim as we have created it is ours, whatever the cluster adds and however it writes sizes") {
  CHECK(differences(as_created()) == "");
  json::Value claim = as_created();
  claim.remove_at("/spec/volumeMode");
  CHECK(differences(claim) == "");
}

TEST_CASE("a claim that somebody else has created differs by name") {
  const auto changed = [](std::string_view patch) {
    return differences(json::apply_merge_patch(as_created(), yaml(patch)));
  };
  CHECK(changed("{spec: {storageClassName: truenas-nfs}}") ==
        "spec.storageClassName is \"truenas-nfs\" instead of \"truenas-csi-nfs\"\n");
  CHECK(changed("{spec: {volumeName: null}}") == "spec.volumeName is missing; it should be \"pv-new\"\n");
  CHECK(changed("{spec: {accessModes: [ReadWriteMany]}}") ==
        "spec.accessModes is [\"ReadWriteMany\"] instead of [\"ReadWriteOnce\"]\n");
  CHECK(contains(changed("{spec: {resources: {requests: {storage: 20Gi}}}}"), "spec.resources is "));
  CHECK(contains(changed("{spec: {resources: {limits: null}}}"), "spec.resources is "));
  CHECK(contains(changed("{spec: {resources: {requests: {storage: many}}}}"), "spec.resources is "));
  CHECK(contains(changed("{spec: {selector: null}}"), "spec.selector is missing"));
  CHECK(changed("{spec: {volumeMode: Block}}") == "spec.volumeMode is \"Block\" instead of \"Filesystem\"\n");
  CHECK(changed("{spec: {dataSource: {kind: VolumeSnapshot, name: s}}}") ==
        "spec.dataSource is {\"kind\":\"VolumeSnapshot\",\"name\":\"s\"} and should not be there\n");
  CHECK(contains(changed("{metadata: {generateName: null}}"), "metadata.generateName is missing"));
  CHECK(changed("{metadata: {labels: {com.coder.resource: null}}}") ==
        "label com.coder.resource is missing; it should be \"true\"\n");
  CHECK(changed("{metadata: {labels: {com.coder.resource: 'false'}}}") ==
        "label com.coder.resource is \"false\" instead of \"true\"\n");
  CHECK(changed("{metadata: {annotations: {com.coder.user.email: null}}}") ==
        "annotation com.coder.user.email is missing; it should be \"anna@example.com\"\n");
  CHECK(changed("{metadata: {finalizers: [x.example.com/hold]}}") ==
        "finalizer is \"x.example.com/hold\" and should not be there\n");
  CHECK(contains(changed("{metadata: {ownerReferences: [{kind: StatefulSet}]}}"), "owner is "));
  CHECK(contains(changed("{metadata: {deletionTimestamp: now}}"), "metadata.deletionTimestamp is \"now\""));
  CHECK(contains(changed("{metadata: {annotations: {volume.beta.kubernetes.io/storage-class: truenas-nfs}}}"),
                 "storage-class is \"truenas-nfs\" instead of \"truenas-csi-nfs\""));
}

TEST_CASE("what a webhook has added is a difference that does no harm") {
  CHECK(
      differences(json::apply_merge_patch(as_created(), yaml("{metadata: {labels: {added: by-webhook}}}"))) ==
      "(label added is \"by-webhook\" and should not be there)\n");
}
