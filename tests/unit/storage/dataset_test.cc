// What would lose a user's data here: two volumes on one dataset taken for two datasets, or an unknown one
// for somebody else's.

#include "lib/storage/dataset.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "lib/base/text.h"
#include "lib/storage/dataset_index.h"
#include "lib/storage/volume.h"
#include "tests/unit/yaml.h"

using namespace truenas;
using namespace truenas::storage;

namespace {

// "known nas SAS/a,SAS/b"
std::string seen(std::string_view spec) {
  const Dataset dataset = dataset_of(yaml("{spec: " + std::string(spec) + "}"));
  if (dataset.kind == Dataset::Kind::unknown) return "unknown";
  if (dataset.kind == Dataset::Kind::none) return "none";
  return dataset.server + " " + join(dataset.paths, ",");
}

Dataset known(const std::string& server, const std::string& path) {
  return {Dataset::Kind::known, server, {path}};
}

Volume volume(const std::string& name, Dataset location, const std::string& phase = "Bound") {
  Volume volume;
  volume.name = name, volume.phase = phase, volume.location = std::move(location);
  return volume;
}

}  // namespace

TEST_CASE("the dataset behind a volume of each driver") {
  CHECK(seen("{csi: {driver: truenas-nfs, volumeHandle: pvc-1, volumeAttributes: {node_attach_driver: nfs, "
             "server: "
             "127.0.0.1, share: /mnt/SAS/RKE2/pvc-1}}}") == "127.0.0.1 SAS/RKE2/pvc-1");
  CHECK(seen("{csi: {driver: csi.truenas.io, volumeHandle: SAS/RKE2/pvc-1, volumeAttributes: {protocol: nfs, "
             "nfsServer: 127.0.0.1, nfsPath: /mnt/SAS/RKE2/pvc-1}}}") == "127.0.0.1 SAS/RKE2/pvc-1");
  // The driver's name is configurable; its idempotent retry leaves out server and path.
  CHECK(
      seen(
          "{csi: {driver: nas.example.com, volumeHandle: SAS/a, volumeAttributes: {nfsPath: /mnt/SAS/a}}}") ==
      " SAS/a");
  CHECK(seen("{csi: {driver: csi.truenas.io, volumeHandle: SAS/a, volumeAttributes: {pool: SAS}}}") ==
        " SAS/a");
  CHECK(seen("{csi: {driver: csi.truenas.io, volumeHandle: SAS/a}}") == " SAS/a");
  // What is promised and what is mounted and deleted.
  CHECK(
      seen("{csi: {driver: csi.truenas.io, volumeHandle: SAS/a, volumeAttributes: {nfsServer: nas, nfsPath: "
           "/mnt/SAS/b}}}") == "nas SAS/a,SAS/b");
  CHECK(seen("{nfs: {server: nas, path: /mnt/SAS/a/}}") == "nas SAS/a");
  CHECK(seen("{nfs: {server: nas, path: /export/a}}") == "nas /export/a");
  CHECK(
      seen("{csi: {driver: nfs.csi.k8s.io, volumeAttributes: {server: nas, share: /mnt/SAS, subdir: a}}}") ==
      "nas SAS/a");
}

TEST_CASE("what cannot be derived is unknown, a block device is no dataset") {
  for (const char* spec :
       {"{}", "{hostPath: {path: /mnt/SAS/a}}", "{local: {path: /mnt/SAS/a}}",
        "{csi: {driver: x, volumeHandle: a/b}}", "{csi: {driver: csi.truenas.io, volumeHandle: pvc-1}}",
        "{nfs: {server: nas}}", "{nfs: {server: nas, path: /}}", "{nfs: {server: nas, path: /mnt}}",
        "{nfs: {server: nas, path: /mnt/SAS/../x}}",
        "{csi: {volumeAttributes: {server: nas, share: /mnt/SAS, subdir: '${pvc.metadata.name}'}}}",
        "{csi: {driver: csi.truenas.io, volumeHandle: SAS/a, volumeAttributes: {nfsPath: /mnt/./a}}}"}) {
    CAPTURE(spec);
    CHECK(seen(spec) == "unknown");
  }
  CHECK(
      seen(
          "{csi: {driver: truenas-iscsi, volumeHandle: a, volumeAttributes: {node_attach_driver: iscsi}}}") ==
      "none");
  CHECK(seen("{csi: {driver: csi.truenas.io, volumeHandle: SAS/a, volumeAttributes: {protocol: iscsi}}}") ==
        "none");
  CHECK(seen("{volumeMode: Block, csi: {driver: x, volumeHandle: a}}") == "none");
  CHECK(seen("{gcePersistentDisk: {pdName: a}}") == "none");
}

TEST_CASE("dataset_of sees the same in a volume of which only dataset_fields were asked for") {
  const auto fields = volume_fields();
  for (const std::string& field : dataset_fields()) {
    CAPTURE(field);
    CHECK(std::find(fields.begin(), fields.end(), field) != fields.end());
  }
}

TEST_CASE("how datasets overlap: an unknown server or dataset is not another one") {
  const Dataset mine = known("nas", "SAS/a");
  CHECK(overlap_of(mine, known("NAS.", "SAS/a")) == Overlap::same);
  CHECK(overlap_of(mine, known("10.0.0.5", "SAS/a")) == Overlap::perhaps);
  CHECK(overlap_of(known("", "SAS/a"), known("", "SAS/a")) == Overlap::perhaps);
  CHECK(overlap_of(mine, known("nas", "SAS/ab")) == Overlap::none);
  CHECK(overlap_of(mine, known("nas", "SAS/a/b")) == Overlap::below);
  CHECK(overlap_of(mine, known("nas", "SAS")) == Overlap::above);
  CHECK(overlap_of(mine, known("nas", "sas/a")) == Overlap::none);
  CHECK(overlap_of(mine, Dataset{}) == Overlap::unknown);
  CHECK(overlap_of(Dataset{}, mine) == Overlap::unknown);
  CHECK(overlap_of(mine, Dataset{Dataset::Kind::none, "", {}}) == Overlap::none);
  CHECK(overlap_of(Dataset{Dataset::Kind::none, "", {}}, Dataset{}) == Overlap::none);
  // Of two paths, the worse counts.
  CHECK(overlap_of(mine, Dataset{Dataset::Kind::known, "nas", {"SAS", "SAS/a"}}) == Overlap::same);
}

TEST_CASE("two hosts are one only when they surely are") {
  CHECK(same_host("NAS.example.com.", "nas.EXAMPLE.com"));
  CHECK(same_host("[FE80::0001]", "fe80::1"));
  CHECK_FALSE(same_host("", ""));
  CHECK_FALSE(same_host("nas", "nas.example.com"));
  CHECK_FALSE(same_host("10.0.0.1", "10.0.0.10"));
}

TEST_CASE("everybody who uses a dataset, in any phase") {
  std::map<std::string, Volume> volumes;
  for (const Volume& each :
       {volume("mine", known("nas", "SAS/a"), "Released"), volume("adopted", known("nas", "SAS/a")),
        volume("idle", known("nas", "SAS/a"), "Available"), volume("other", known("nas", "SAS/b")),
        volume("inside", known("nas", "SAS/a/x"), "Failed"), volume("mystery", Dataset{}),
        volume("block", Dataset{Dataset::Kind::none, "", {}})}) {
    volumes[each.name] = each;
  }
  volumes["adopted"].claim_ns = "coder", volumes["adopted"].claim_name = "home";
  std::vector<std::string> lines;
  for (const DatasetUser& user : users_of_dataset(volumes["mine"], volumes)) lines.push_back(describe(user));
  CHECK(join(lines, "\n") ==
        "persistentvolume adopted (Bound, coder/home) is on the same dataset\n"
        "persistentvolume idle (Available) is on the same dataset\n"
        "persistentvolume inside (Failed) is on a dataset inside it\n"
        "persistentvolume mystery (Bound) does not say its dataset, which may be this one");
}

TEST_CASE("the index finds whom a dataset's end would hurt, as the comparison of each with each does") {
  std::map<std::string, Volume> volumes;
  for (const auto& [name, path] : std::map<std::string, std::string>{{"a", "SAS/a"},
                                                                     {"a2", "SAS/a"},
                                                                     {"inside", "SAS/a/x/y"},
                                                                     {"dash", "SAS/a-b"},
                                                                     {"parent", "SAS"},
                                                                     {"other", "SAS/b"}}) {
    volumes[name] = volume(name, known("nas", path));
  }
  volumes["unknown"] = volume("unknown", Dataset{});
  const DatasetIndex index(volumes);
  for (const auto& [name, each] : volumes) {
    CAPTURE(name);
    std::vector<std::string> expected, found;
    for (const DatasetUser& user : users_of_dataset(each, volumes)) {
      if (user.overlap != Overlap::above && user.overlap != Overlap::unknown)
        expected.push_back(describe(user));
    }
    for (const DatasetUser& user : index.sharers_of(each)) found.push_back(describe(user));
    CHECK(join(found, "\n") == join(expected, "\n"));
  }
  CHECK(index.sharers_of(volumes["a"]).size() == 2);
  CHECK(index.sharers_of(volumes["parent"]).size() == 5);
}
