// Two classes side by side: presence, immutability, what stays, and who else owns a field.

#include "lib/storage/class_compare.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "lib/base/text.h"
#include "tests/unit/storage/class_text.h"

using namespace truenas;
using namespace truenas::storage;

namespace {

std::string side(const std::optional<std::string>& value) {
  return value ? quote(*value) : "absent";
}

// "parameters.pool: "A" -> absent, immutable" a line.
std::string text_of(const std::vector<Difference>& differences) {
  std::string text;
  for (const Difference& one : differences) {
    CHECK_FALSE(one.consequence.empty());
    text += fmt::format("{}: {} -> {}{}\n", one.field, side(one.live), side(one.wanted),
                        one.immutable ? ", immutable" : "");
  }
  return text;
}

}  // namespace

TEST_CASE("differences by presence, golden") {
  struct Row {
    const char *live_parameters, *live, *wanted_parameters, *wanted, *text;
  };
  const Row rows[] = {
      {"{a: b}", "{}", "{a: b}", "{}", ""},
      {"{nfs.mapAllUser: ''}", "{}", "{}", "{}", "parameters.nfs.mapAllUser: \"\" -> absent, immutable\n"},
      {"{}", "{}", "{nfs.mapAllUser: ''}", "{}", "parameters.nfs.mapAllUser: absent -> \"\", immutable\n"},
      {"{pool: A, sync: x}", "{}", "{pool: B, nfs.hosts: h}", "{}",
       "parameters.nfs.hosts: absent -> \"h\", immutable\nparameters.pool: \"A\" -> \"B\", immutable\n"
       "parameters.sync: \"x\" -> absent, immutable\n"},
      {"{}", "{provisioner: other}", "{}", "{}", "provisioner: \"other\" -> \"csi.truenas.io\", immutable\n"},
      {"{}", "{reclaimPolicy: Retain, volumeBindingMode: WaitForFirstConsumer}", "{}", "{}",
       "reclaimPolicy: \"Retain\" -> \"Delete\", immutable\n"
       "volumeBindingMode: \"WaitForFirstConsumer\" -> \"Immediate\", immutable\n"},
      // The API's defaults.
      {"{}", "{reclaimPolicy: null, volumeBindingMode: null}", "{}", "{}", ""},
      {"{}", "{allowVolumeExpansion: null}", "{}", "{allowVolumeExpansion: false}", ""},
      {"{}", "{allowVolumeExpansion: null}", "{}", "{}", "allowVolumeExpansion: absent -> \"true\"\n"},
      // What the wanted class does not speak of stays.
      {"{}",
       "{mountOptions: [hard], allowedTopologies: [{}], metadata: {labels: {a: b}, annotations: {c: d}}}",
       "{}", "{}", ""},
      {"{}", "{mountOptions: [hard, vers=3]}", "{}", "{mountOptions: [hard]}",
       "mountOptions: \"hard,vers=3\" -> \"hard\"\n"},
      {"{}", "{mountOptions: []}", "{}", "{mountOptions: [hard]}", "mountOptions: \"\" -> \"hard\"\n"},
      {"{}", "{metadata: {labels: {a: b}}}", "{}",
       "{metadata: {labels: {a: c}, annotations: {storageclass.kubernetes.io/is-default-class: 'true'}}}",
       "label a: \"b\" -> \"c\"\nannotation storageclass.kubernetes.io/is-default-class: absent -> "
       "\"true\"\n"},
      {"{}", "{}", "{}", "{allowedTopologies: [{matchLabelExpressions: [{key: zone, values: [a]}]}]}",
       "allowedTopologies: absent -> "
       "\"[{\\\"matchLabelExpressions\\\":[{\\\"key\\\":\\\"zone\\\",\\\"values\\\":[\\\"a\\\"]}]}]\"\n"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.live);
    CAPTURE(row.wanted);
    const auto differences = compare_classes(class_with(row.live_parameters, row.live),
                                             class_with(row.wanted_parameters, row.wanted));
    CHECK(text_of(differences) == row.text);
    CHECK(has_immutable(differences) == contains(row.text, "immutable"));
  }
}

TEST_CASE("a class that is put back says by silence that a field must go") {
  const StorageClass live = class_with("{}", "{mountOptions: [hard], metadata: {labels: {theirs: x}}}");
  const StorageClass wanted = class_with("{}", "{allowVolumeExpansion: null}");
  CHECK(text_of(compare_classes(live, wanted, Silence::is_none)) ==
        "allowVolumeExpansion: \"true\" -> absent\nmountOptions: \"hard\" -> absent\n");
  CHECK(compare_classes(live, wanted).empty());
}

TEST_CASE("what is made again keeps labels, annotations and mount options, not what a server sets") {
  const StorageClass live = class_with(
      "{pool: OLD}",
      "{mountOptions: [hard], allowedTopologies: [{}], metadata: {uid: u, resourceVersion: '7', labels: {a: "
      "b, c: d}, "
      "annotations: {e: f, kubectl.kubernetes.io/last-applied-configuration: '{}'}, managedFields: [{}]}}");
  const StorageClass wanted = class_with("{pool: NEW}", "{metadata: {labels: {c: new}}}");
  const json::Value object = desired_class(&live, wanted);
  CHECK(json::write(*object.find("metadata")) ==
        R"({"name":"truenas-csi-nfs","labels":{"a":"b","c":"new"},"annotations":{"e":"f"}})");
  CHECK(object.text_at("/parameters/pool") == "NEW");
  CHECK(object.text_at("/mountOptions/0") == "hard");
  CHECK(object.items_at("/allowedTopologies").size() == 1);
  CHECK(join(kept_fields(live, wanted), ", ") == "mountOptions, allowedTopologies, label a, annotation e");
  // Its own document makes it the same.
  CHECK(compare_classes(read(object), wanted).empty());
}

TEST_CASE("a class made again as it was has everything, the last-applied annotation too") {
  const StorageClass old = class_with(
      "{}",
      "{metadata: {uid: u, annotations: {kubectl.kubernetes.io/last-applied-configuration: '{}', e: f}}}");
  const json::Value object = desired_class(nullptr, old, Silence::is_none);
  CHECK(
      json::write(*object.find("metadata")) ==
      R"({"name":"truenas-csi-nfs","annotations":{"e":"f","kubectl.kubernetes.io/last-applied-configuration":"{}"}})");
}

TEST_CASE("a class beside another one mounts alike and belongs to nobody") {
  const StorageClass model =
      class_with("{}", "{mountOptions: [vers=4.2], metadata: {labels: {meta: x}, annotations: {y: z}}}");
  const json::Value object = class_beside(&model, runbook_class("truenas-csi-nfs"), "truenas-csi-nfs-2");
  CHECK(json::write(*object.find("metadata")) == R"({"name":"truenas-csi-nfs-2"})");
  CHECK(object.text_at("/mountOptions/0") == "vers=4.2");
}

TEST_CASE("field managers that own what differs are named, our own applies are not") {
  StorageClass live = class_with("{}", "{allowVolumeExpansion: false}");
  live.object.set_at("/metadata/managedFields", yaml(R"([
    {manager: kubectl-create, operation: Update, fieldsV1: {'f:allowVolumeExpansion': {}, 'f:parameters': {}}},
    {manager: kubectl-truenas-migrate, operation: Apply, fieldsV1: {'f:allowVolumeExpansion': {}}},
    {manager: labeller, operation: Update, fieldsV1: {'f:metadata': {'f:labels': {'f:a/b': {}}}}},
    {manager: broken, operation: Update}])"));
  const auto managers = [&](std::string_view members) {
    return join(
        other_managers(live, compare_classes(live, class_with("{}", members)), "kubectl-truenas-migrate"),
        ",");
  };
  CHECK(managers("{}") == "kubectl-create");
  CHECK(managers("{allowVolumeExpansion: null, metadata: {labels: {a/b: c}}}") == "labeller");
  CHECK(managers("{allowVolumeExpansion: null, mountOptions: [hard]}").empty());
}
