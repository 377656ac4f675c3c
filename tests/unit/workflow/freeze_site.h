#pragma once
// Coder's Role on the site with homes: what other homes' runs do to it, and what is looked at.

#include "lib/engine/journal.h"
#include "tests/fakes/faults.h"
#include "tests/unit/workflow/home_site.h"

namespace truenas::workflow {

inline constexpr const char* k_other = "other-home";
inline constexpr const char* k_role_name = "coder-workspace-perms";

inline const json::Value& role_of(const HomeSite& site, const char* name = k_role_name) {
  const json::Value* role = site.cluster.find(kube::k_role, HomeSite::k_ns, name);
  REQUIRE(role != nullptr);
  return *role;
}

inline bool is_frozen_for(const HomeSite& site, const std::string& claim) {
  return contains(kube::annotation_of(role_of(site), k_frozen_for_annotation), claim);
}

// Another home of the namespace, Bound, whose run holds its Lease.
inline void put_other(HomeSite& site) {
  site.cluster.put(yaml(fmt::format(
      "{{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {{name: {}, namespace: {}}}, spec: "
      "{{accessModes: [ReadWriteOnce], volumeMode: Filesystem, storageClassName: truenas-nfs, resources: "
      "{{requests: {{storage: 1Gi}}}}}}, status: {{phase: Pending}}}}",
      k_other, HomeSite::k_ns)));
  site.cluster.put(yaml(
      fmt::format("{{apiVersion: coordination.k8s.io/v1, kind: Lease, metadata: {{name: {}, namespace: {}}}, "
                  "spec: {{holderIdentity: 'ann@host:1:00000001', leaseDurationSeconds: 15, renewTime: "
                  "'2026-01-01T00:00:00.000000Z'}}}}",
                  engine::journal_name("workspace", k_other), HomeSite::k_ns)));
  REQUIRE(site.cluster.tick_until(
      [&] {
        return site.cluster.find(kube::k_claim, HomeSite::k_ns, k_other)->text_at("/status/phase") == "Bound";
      },
      10));
}

// It renews its Lease from now on.
inline void keep_other_alive(HomeSite& site) {
  auto beats = std::make_shared<int>(0);
  fakes::Fault fault = fakes::before(fakes::request_to("GET", "/leases/"), [&site, beats] {
    site.cluster.meddle(kube::k_lease, HomeSite::k_ns, engine::journal_name("workspace", k_other),
                        [beats](json::Value& lease) {
                          lease.set_at("/spec/renewTime",
                                       fmt::format("2026-01-01T00:00:{:02}.000000Z", ++*beats % 60));
                        });
  });
  fault.times = -1;
  site.cluster.add_fault(fault);
}

inline void release_other(HomeSite& site) {
  site.cluster.meddle(kube::k_lease, HomeSite::k_ns, engine::journal_name("workspace", k_other),
                      [](json::Value& lease) { lease.set_at("/spec/holderIdentity", ""); });
}

// What the other home's run does to the Role.
inline void freeze_for_other(HomeSite& site) {
  site.cluster.meddle(kube::k_role, HomeSite::k_ns, k_role_name, [](json::Value& role) {
    const json::Value rules = *role.find("rules");
    role.set_at("/metadata/annotations",
                json::Value::object({{std::string(k_frozen_rules_annotation), json::write(rules)},
                                     {std::string(k_frozen_for_annotation),
                                      fmt::format("[\"{}/{}\"]", HomeSite::k_ns, k_other)}}));
    role.set_at("/metadata/labels",
                json::Value::object({{std::string(k_frozen_label), std::string(k_frozen_label_value)}}));
    role.set("rules", without_claim_rights(rules));
  });
}

inline void thaw_everything(HomeSite& site) {
  site.cluster.meddle(kube::k_role, HomeSite::k_ns, k_role_name, [](json::Value& role) {
    const std::string before = kube::annotation_of(role, k_frozen_rules_annotation);
    if (before.empty()) return;
    role.set("rules", *json::parse(before, "test"));
    role.remove_at("/metadata/annotations");
    role.remove_at("/metadata/labels");
  });
}

inline bool deletes_the_home(const fakes::Seen& seen) {
  return seen.what.method == "DELETE" &&
         contains(seen.what.target, std::string("/persistentvolumeclaims/") + HomeSite::k_home);
}

inline std::vector<LeftFreeze> left_freezes(HomeSite& site) {
  auto session = fakes::make_session(site.cluster, site.clock);
  auto left = find_left_freezes(kube::Reader(*session), "", site.clock);
  REQUIRE_MESSAGE(left.ok(), (left.ok() ? "" : left.error().what));
  return std::move(left).value();
}

// Interrupted as soon as the Role is frozen for the home, and its claim is there or not.
inline std::function<bool()> interrupt_when_frozen(HomeSite& site, bool absent) {
  return [&site, absent] {
    return is_frozen_for(site, HomeSite::k_home) && (site.claim() == nullptr) == absent;
  };
}

}  // namespace truenas::workflow
