// What would lose a user's data here: a patch that hits another volume, a claimRef that somebody else can
// bind, a policy that makes the cluster delete a dataset in use.

#include "lib/storage/volume_patch.h"

#include <doctest/doctest.h>

#include "lib/base/text.h"
#include "tests/unit/yaml.h"

using namespace truenas;
using namespace truenas::storage;

namespace {

json::Value volume(std::string_view patch = "{}") {
  return json::apply_merge_patch(yaml(R"(
apiVersion: v1
kind: PersistentVolume
metadata: {name: pv-new, uid: u-1, annotations: {pv.kubernetes.io/provisioned-by: csi.truenas.io}}
spec:
  capacity: {storage: 20Gi}
  claimRef: {apiVersion: v1, kind: PersistentVolumeClaim, namespace: coder, name: temporary, uid: c-1, resourceVersion: "5"}
  csi: {driver: csi.truenas.io, volumeHandle: SAS/pv-new, volumeAttributes: {nfsServer: nas, nfsPath: /mnt/SAS/pv-new}}
  persistentVolumeReclaimPolicy: Retain
status: {phase: Released}
)"),
                                 yaml(patch));
}

}  // namespace

TEST_CASE("Retain is set on exactly one volume") {
  const json::Value before = volume("{spec: {persistentVolumeReclaimPolicy: Delete}}");
  const auto after = json::apply_json_patch(before, retain_patch("u-1"));
  REQUIRE(after.ok());
  CHECK(*after == volume());
  CHECK(json::apply_json_patch(before, retain_patch("u-2")).error().kind == Kind::conflict);
  CHECK_FALSE(json::apply_json_patch(before, retain_patch("")).ok());
  // Also where the policy is left out.
  const auto added =
      json::apply_json_patch(volume("{spec: {persistentVolumeReclaimPolicy: null}}"), retain_patch("u-1"));
  CHECK(*added == volume());
}

TEST_CASE("a volume is kept with its mark and what it was before, and loses both again") {
  const json::Value before = volume("{spec: {persistentVolumeReclaimPolicy: Delete}}");
  const json::Value kept =
      json::apply_merge_patch(before, keep_patch("u-1", original_policy_of(before), "coder/home"));
  CHECK(read_volume(kept).kept);
  CHECK(kept.text_at("/spec/persistentVolumeReclaimPolicy") == "Retain");
  CHECK(kept.text_at("/metadata/annotations/truenas-migrate~1kept-for") == "coder/home");
  CHECK(kept.text_at("/metadata/annotations/pv.kubernetes.io~1provisioned-by") == "csi.truenas.io");
  // A second look must not take our own Retain for the original policy.
  CHECK(original_policy_of(kept) == "Delete");
  json::Value unmarked = json::apply_merge_patch(kept, unmark_patch("u-1"));
  CHECK_FALSE(read_volume(unmarked).kept);
  unmarked.remove_at("/metadata/labels");
  CHECK(unmarked == volume());
}

TEST_CASE("a volume is reserved for a claim by name, so that nobody else can bind it") {
  const json::Value patch = claim_ref_patch("u-1", "c-1", "coder", "home");
  const auto after = json::apply_json_patch(volume(), patch);
  REQUIRE(after.ok());
  CHECK(json::write(*after->at("/spec/claimRef")) ==
        R"({"apiVersion":"v1","kind":"PersistentVolumeClaim","namespace":"coder","name":"home"})");
  json::Value rest = *after, before = volume();
  rest.remove_at("/spec/claimRef"), before.remove_at("/spec/claimRef");
  CHECK(rest == before);
  for (const char* other :
       {"{metadata: {uid: u-2}}", "{spec: {claimRef: {uid: c-2}}}", "{spec: {claimRef: null}}",
        "{spec: {claimRef: {uid: null}}}", "{spec: {persistentVolumeReclaimPolicy: Delete}}"}) {
    CAPTURE(other);
    CHECK_FALSE(json::apply_json_patch(volume(other), patch).ok());
  }
}

TEST_CASE("no policy but Retain is put back while another volume uses the dataset") {
  const Volume alone = read_volume(volume());
  const auto patch = policy_patch(alone, "Delete", {});
  REQUIRE(patch.ok());
  CHECK(json::apply_json_patch(volume(), *patch)->text_at("/spec/persistentVolumeReclaimPolicy") == "Delete");
  CHECK_FALSE(json::apply_json_patch(volume("{metadata: {uid: u-2}}"), *patch).ok());
  // Somebody has changed it meanwhile.
  CHECK_FALSE(
      json::apply_json_patch(volume("{spec: {persistentVolumeReclaimPolicy: Recycle}}"), *patch).ok());

  const std::vector<DatasetUser> users = {{"pv-old", "Released", "coder/home", Overlap::same},
                                          {"pv-x", "Bound", "", Overlap::unknown}};
  const auto refused = policy_patch(alone, "Delete", users);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().kind == Kind::refused);
  CHECK(
      refused.error().what ==
      "cannot set the reclaim policy of persistentvolume pv-new to Delete: persistentvolume pv-old "
      "(Released, "
      "coder/home) is on the same dataset; persistentvolume pv-x (Bound) does not say its dataset, which may "
      "be this one");
  CHECK_FALSE(policy_patch(alone, "Recycle", users).ok());
  CHECK(policy_patch(alone, "Retain", users).ok());
  CHECK_FALSE(policy_patch(alone, "", {}).ok());
  CHECK_FALSE(policy_patch(Volume{}, "Delete", {}).ok());
}
