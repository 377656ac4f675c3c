// What would lose a user's data here: a record of another volume, or one that is read otherwise than it was
// written.

#include "lib/storage/cutover_record.h"

#include <doctest/doctest.h>

#include "lib/base/text.h"
#include "tests/unit/yaml.h"

using namespace truenas;
using namespace truenas::storage;

namespace {

CutoverRecord record() {
  CutoverRecord record;
  record.what = "copy", record.cluster_uid = "k-1";
  record.ns = "coder", record.claim = "home", record.claim_uid = "c-1";
  record.from_class = "truenas-nfs", record.from_volume = "pv-old", record.from_volume_uid = "u-0";
  record.from_policy = "Delete", record.from_dataset = "SAS/RKE2/pv-old";
  record.to_class = "truenas-csi-nfs", record.to_volume = "pv-new", record.to_volume_uid = "u-1";
  record.to_policy = "Delete", record.to_dataset = "SAS/pv-new";
  record.time = "2026-11-23T05:00:00Z";
  record.replacement = yaml("{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: home}}");
  return record;
}

json::Value volume_with(const std::string& text) {
  json::Value volume = yaml("{metadata: {name: pv-new, uid: u-1}}");
  volume.set_at("/metadata/annotations/truenas-migrate~1cutover", text);
  return volume;
}

std::string failure(const json::Value& volume) {
  const auto read = read_cutover(volume);
  REQUIRE_FALSE(read.ok());
  return read.error().what;
}

}  // namespace

TEST_CASE("a cutover record is read as it was written") {
  const auto patch = cutover_patch(record());
  REQUIRE(patch.ok());
  const json::Value volume = json::apply_merge_patch(yaml("{metadata: {name: pv-new, uid: u-1}}"), *patch);
  const auto read = read_cutover(volume);
  REQUIRE(read.ok());
  REQUIRE(*read);
  CHECK(cutover_value(**read).value() == cutover_value(record()).value());
  CHECK((*read)->from_policy == "Delete");
  CHECK((*read)->replacement == record().replacement);
  CHECK(patch->text_at("/metadata/uid") == "u-1");
  CHECK(
      cutover_value(record()).value() ==
      R"({"version":1,"what":"copy","clusterUid":"k-1","namespace":"coder","claim":"home","claimUid":"c-1",)"
      R"("fromClass":"truenas-nfs","fromVolume":"pv-old","fromVolumeUid":"u-0","fromPolicy":"Delete",)"
      R"("fromDataset":"SAS/RKE2/pv-old","toClass":"truenas-csi-nfs","toVolume":"pv-new",)"
      R"("toVolumeUid":"u-1","toPolicy":"Delete","toDataset":"SAS/pv-new","time":"2026-11-23T05:00:00Z",)"
      R"("replacement":{"apiVersion":"v1","kind":"PersistentVolumeClaim","metadata":{"name":"home"}}})");
}

TEST_CASE("a volume without a record has none; one of another version or volume is refused") {
  CHECK_FALSE(read_cutover(yaml("{metadata: {name: pv-new, uid: u-1}}"))->has_value());
  const std::string text = *cutover_value(record());
  std::string newer = text;
  newer.replace(newer.find("\"version\":1"), 11, "\"version\":2");
  CHECK(failure(volume_with(newer)) ==
        "annotation truenas-migrate/cutover of persistentvolume pv-new: version 2 is not the version 1 that "
        "this "
        "program knows");
  json::Value other = volume_with(text);
  other.set_at("/metadata/uid", "u-2");
  CHECK(failure(other) ==
        "persistentvolume pv-new carries the cutover record of another volume: uid u-1 is recorded, u-2 is "
        "found");
  other.set_at("/metadata/uid", "u-1");
  other.set_at("/metadata/name", "pv-restored");
  CHECK(contains(failure(other), "name pv-new is recorded, pv-restored is found"));
}

TEST_CASE("a spoiled record is an error that names the place") {
  CHECK(contains(failure(volume_with("{")), "annotation truenas-migrate/cutover of persistentvolume pv-new"));
  CHECK(contains(failure(volume_with("[]")), "/version"));
  CHECK(contains(failure(volume_with(R"({"version":1})")), "/what"));
  json::Value document = *json::parse(*cutover_value(record()), "test");
  for (const char* field : {"claim", "claimUid", "fromVolume", "fromPolicy", "toVolume", "replacement"}) {
    json::Value spoiled = document;
    spoiled.set(field, 7);
    CHECK(contains(failure(volume_with(json::write(spoiled))), std::string("/") + field));
  }
}

TEST_CASE("a record that lacks something, or is too long to keep, is not written") {
  CutoverRecord lacking = record();
  lacking.from_policy = "";
  CHECK_FALSE(cutover_value(lacking).ok());
  lacking = record();
  lacking.replacement = json::Value();
  CHECK_FALSE(cutover_value(lacking).ok());
  lacking = record();
  lacking.to_volume_uid = "";  // of a volume that is created with its record
  CHECK(cutover_value(lacking).ok());
  CHECK_FALSE(cutover_patch(lacking).ok());
  CutoverRecord huge = record();
  huge.replacement.set_at("/metadata/annotations/x", std::string(200 * 1024, 'x'));
  CHECK(cutover_value(huge).error().kind == Kind::refused);
}
