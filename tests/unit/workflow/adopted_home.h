#pragma once
// A HomeSite whose home is adopted: with an attach controller for the new driver, as the real one is: one
// VolumeAttachment for each handle and node, whichever volume object it is for.

#include "lib/workflow/adoption_probe.h"
#include "tests/unit/workflow/home_site.h"

namespace truenas::workflow {

struct AdoptedHome : HomeSite {
  AdoptedHome() {
    options.carry = Carry::adopt;
    const json::Value& old = volume();
    old_name = kube::identity_of(old).name;
    old_uid = kube::identity_of(old).uid;
    share = old.text_at("/spec/csi/volumeAttributes/share");
    cluster.each_tick = [this] {
      attach();
      watch_policies();
    };
  }

  const json::Value* old_volume() const { return cluster.find(kube::k_volume, "", old_name); }
  const json::Value* adopted() const {
    return cluster.find(kube::k_volume, "", storage::adopted_name_of_uid(old_uid));
  }
  std::string policy(const json::Value* volume) const {
    return volume == nullptr ? "absent" : volume->text_at("/spec/persistentVolumeReclaimPolicy");
  }

  // The end state of every adoption, and of its way back.
  void check_on(bool new_class) {
    cluster.tick(15);
    REQUIRE(claim() != nullptr);
    CHECK(claim()->text_at("/status/phase") == "Bound");
    CHECK(claim()->text_at("/spec/storageClassName") == (new_class ? "truenas-csi-nfs" : "truenas-nfs"));
    CHECK(claim()->text_at("/spec/volumeName") ==
          (new_class ? storage::adopted_name_of_uid(old_uid) : old_name));
    CHECK(volume().text_at("/spec/claimRef/uid") == kube::identity_of(*claim()).uid);
    CHECK(policy(old_volume()) == "Retain");
    CHECK(policy(adopted()) == "Retain");
    CHECK(files() == before);
    CHECK(cluster.nas.datasets.size() == 1);
    check_clean();
    CHECK(count("persistentvolumes", "truenas-migrate-probe-") == 0);
    CHECK(unsafe.empty());
  }

  std::string old_name, old_uid, share;
  std::string mounted_path;  // what the new driver says; "" for the right one
  std::string server = "127.0.0.1";
  bool attaches = true;              // the new driver's attachments are told
  std::vector<std::string> unsafe;   // moments at which one of two volumes on the dataset was not Retain
  std::vector<std::string> clashes;  // attachments that were in another volume's way

 private:
  static constexpr int k_detach_ticks = 4;

  void attach() {
    std::string wanted;
    for (const json::Value* pod : cluster.store.list("", "pods")) {
      if (pod->text_at("/status/phase") != "Running") continue;
      for (const json::Value& one : pod->items_at("/spec/volumes")) {
        const std::string& name = one.text_at("/persistentVolumeClaim/claimName");
        const json::Value* mounted = name.empty() ? nullptr : cluster.find(kube::k_claim, k_ns, name);
        if (mounted == nullptr) continue;
        const json::Value* object = cluster.find(kube::k_volume, "", mounted->text_at("/spec/volumeName"));
        if (object != nullptr && object->text_at("/spec/csi/driver") == "csi.truenas.io")
          wanted = kube::identity_of(*object).name;
      }
    }
    const json::Value* there = cluster.find(kube::k_volume_attachment, "", "csi-1");
    if (there != nullptr && !wanted.empty() &&
        there->text_at("/spec/source/persistentVolumeName") != wanted) {
      clashes.push_back(wanted);
    }
    if (there == nullptr && !wanted.empty() && attaches) put_attachment(wanted);
    idle_ = wanted.empty() ? idle_ + 1 : 0;
    if (there != nullptr && idle_ > k_detach_ticks) cluster.erase(kube::k_volume_attachment, "", "csi-1");
  }
  void put_attachment(const std::string& name) {
    json::Value attachment = yaml(
        "{apiVersion: storage.k8s.io/v1, kind: VolumeAttachment, metadata: {name: csi-1}, spec: {attacher: "
        "csi.truenas.io, nodeName: node1}, status: {attached: true, attachmentMetadata: {protocol: nfs}}}");
    attachment.set_at("/spec/source/persistentVolumeName", name);
    attachment.set_at("/status/attachmentMetadata/nfsServer", server);
    attachment.set_at("/status/attachmentMetadata/nfsPath", mounted_path.empty() ? share : mounted_path);
    cluster.put(attachment);
  }
  void watch_policies() {
    const bool both = old_volume() != nullptr && adopted() != nullptr;
    if (both && (policy(old_volume()) != "Retain" || policy(adopted()) != "Retain"))
      unsafe.push_back(policy(old_volume()) + "/" + policy(adopted()));
  }

  int idle_ = 0;
};

}  // namespace truenas::workflow
