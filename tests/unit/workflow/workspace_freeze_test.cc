// Coder's rights while a home moves: taken before the name is absent, never given back too early, never kept
// without a word; and other homes of the namespace, whose runs do the same.

#include <doctest/doctest.h>

#include "lib/engine/journal.h"
#include "tests/fakes/faults.h"
#include "tests/unit/workflow/home_site.h"

using namespace truenas;
using namespace truenas::workflow;

namespace {

constexpr const char* k_other = "other-home";
constexpr const char* k_role_name = "coder-workspace-perms";

std::string text_of(const engine::Outcome& outcome) {
  return outcome.ok() ? "done: " + outcome.done->summary
                      : std::string(kind_name(outcome.error->kind)) + ": " + outcome.error->what;
}

const json::Value& role_of(const HomeSite& site, const char* name = k_role_name) {
  const json::Value* role = site.cluster.find(kube::k_role, HomeSite::k_ns, name);
  REQUIRE(role != nullptr);
  return *role;
}

bool is_frozen_for(const HomeSite& site, const std::string& claim) {
  return contains(kube::annotation_of(role_of(site), k_frozen_for_annotation), claim);
}

// Another home of the namespace, Bound, whose run holds its Lease.
void put_other(HomeSite& site) {
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
void keep_other_alive(HomeSite& site) {
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

void release_other(HomeSite& site) {
  site.cluster.meddle(kube::k_lease, HomeSite::k_ns, engine::journal_name("workspace", k_other),
                      [](json::Value& lease) { lease.set_at("/spec/holderIdentity", ""); });
}

// What the other home's run does to the Role.
void freeze_for_other(HomeSite& site) {
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

void thaw_everything(HomeSite& site) {
  site.cluster.meddle(kube::k_role, HomeSite::k_ns, k_role_name, [](json::Value& role) {
    const std::string before = kube::annotation_of(role, k_frozen_rules_annotation);
    if (before.empty()) return;
    role.set("rules", *json::parse(before, "test"));
    role.remove_at("/metadata/annotations");
    role.remove_at("/metadata/labels");
  });
}

bool deletes_the_home(const fakes::Seen& seen) {
  return seen.what.method == "DELETE" &&
         contains(seen.what.target, std::string("/persistentvolumeclaims/") + HomeSite::k_home);
}

std::vector<LeftFreeze> left_freezes(HomeSite& site) {
  auto session = fakes::make_session(site.cluster, site.clock);
  auto left = find_left_freezes(kube::Reader(*session), "", site.clock);
  REQUIRE_MESSAGE(left.ok(), (left.ok() ? "" : left.error().what));
  return std::move(left).value();
}

// Interrupted as soon as the Role is frozen for the home, and its claim is there or not.
std::function<bool()> interrupt_when_frozen(HomeSite& site, bool absent) {
  return [&site, absent] {
    return is_frozen_for(site, HomeSite::k_home) && (site.claim() == nullptr) == absent;
  };
}

}  // namespace

TEST_CASE("another run's freeze is joined, and outlives this one while it is needed") {
  HomeSite site;
  put_other(site);
  freeze_for_other(site);
  bool released = false, absent = false;
  SUBCASE("its run is alive") {
    keep_other_alive(site);
  }
  SUBCASE("its run is dead and its claim absent") {
    site.cluster.erase(kube::k_claim, HomeSite::k_ns, k_other);
    absent = true;
  }
  SUBCASE("its run is dead and its claim bound") {
    release_other(site);
    released = true;
  }
  SUBCASE("its run was killed: its Lease is held and not renewed while this one goes on") {
    released = true;
    site.interrupted = [&site, asked = 0]() mutable {
      if (++asked == 10) static_cast<void>(site.clock.sleep(Seconds(20)));
      return false;
    };
  }
  SUBCASE("its run was killed, and it is too early to tell") {
    absent = true;
  }
  bool ours_at_the_deletion = false;
  site.cluster.add_fault(fakes::before(deletes_the_home, [&] {
    ours_at_the_deletion = is_frozen_for(site, HomeSite::k_home) && !site.coder_may_delete();
  }));
  const engine::Outcome outcome = site.run();
  REQUIRE_MESSAGE(outcome.ok(), text_of(outcome));
  CHECK(ours_at_the_deletion);
  CHECK(site.coder_may_delete() == released);
  CHECK_FALSE(is_frozen_for(site, HomeSite::k_home));
  CHECK(is_frozen_for(site, k_other) == !released);
  if (released || absent) return;
  // Its own end would give them back; here its run dies, and the next one of anybody does.
  release_other(site);
  const engine::Outcome again = site.run();
  CHECK_MESSAGE(again.ok(), text_of(again));
  CHECK(site.coder_may_delete());
}

TEST_CASE("a freeze that somebody ends is made again before the claim is deleted") {
  for (int look = 1; look < 12; ++look) {
    CAPTURE(look);
    HomeSite site;
    int looks = 0;
    bool thawed = false, frozen_at_the_deletion = false;
    fakes::Fault fault = fakes::before(fakes::request_to("GET", "/persistentvolumes/"), [&] {
      if (!is_frozen_for(site, HomeSite::k_home) || ++looks != look) return;
      thaw_everything(site);
      thawed = true;
    });
    fault.times = -1;
    site.cluster.add_fault(fault);
    site.cluster.add_fault(fakes::before(deletes_the_home, [&] {
      frozen_at_the_deletion = !site.coder_may_delete() && is_frozen_for(site, HomeSite::k_home);
    }));
    const engine::Outcome outcome = site.run();
    REQUIRE_MESSAGE(outcome.ok(), text_of(outcome));
    CHECK(thawed);
    CHECK(frozen_at_the_deletion);
    site.check_moved();
  }
}

TEST_CASE("a user who could take the rights and not give them back takes none") {
  HomeSite site;
  fakes::Fault fault = fakes::answer(
      [](const fakes::Seen& seen) {
        return seen.what.method == "PATCH" && contains(seen.what.target, "/roles/") &&
               contains(seen.what.target, "dryRun=All");
      },
      {403,
       {},
       R"({"kind":"Status","status":"Failure","code":403,"reason":"Forbidden","message":"user \"ann\" is attempting to grant RBAC permissions not currently held: deletecollection"})"});
  fault.times = -1;
  site.cluster.add_fault(fault);
  const json::Value before = role_of(site);
  const engine::Outcome outcome = site.run();
  REQUIRE_FALSE(outcome.ok());
  CHECK(outcome.error->kind == Kind::stopped);
  CHECK(contains(outcome.error->what, "not currently held: deletecollection"));
  CHECK(contains(join(outcome.error->hints, "\n"), "escalate"));
  CHECK(site.modes.empty());
  CHECK(role_of(site) == before);
  site.options.accepted = {k_no_build_freeze};
  const engine::Outcome again = site.run();
  REQUIRE_MESSAGE(again.ok(), text_of(again));
  site.check_moved();
}

TEST_CASE("rights for the freeze that are missing are named before anything is done") {
  HomeSite site;
  site.cluster.api.denied = {{"patch", "rbac.authorization.k8s.io", "roles", HomeSite::k_ns, ""}};
  const engine::Outcome outcome = site.run();
  REQUIRE_FALSE(outcome.ok());
  CHECK(contains(outcome.error->what, "cannot patch roles"));
  CHECK(site.cluster.writes() == 0);
  site.options.accepted = {k_no_build_freeze};
  CHECK(site.run().ok());
}

TEST_CASE("a provisioner with an account of its own is frozen too") {
  HomeSite site;
  site.cluster.put(yaml(fmt::format(
      "{{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {{name: build, namespace: {}}}, "
      "rules: [{{apiGroups: [''], resources: [persistentvolumeclaims], verbs: [create, delete]}}]}}",
      HomeSite::k_ns)));
  site.cluster.put(
      yaml(fmt::format("{{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {{name: "
                       "build, namespace: {}}}, "
                       "subjects: [{{kind: ServiceAccount, name: coder-provisioner, namespace: builders}}], "
                       "roleRef: {{kind: Role, "
                       "name: build, apiGroup: rbac.authorization.k8s.io}}}}",
                       HomeSite::k_ns)));
  const auto others = site.cluster.api.account_may;
  site.cluster.api.account_may = [&](const std::string& user, const std::string& verb,
                                     const fakes::ApiPath& path) {
    if (user != "system:serviceaccount:builders:coder-provisioner") return others(user, verb, path);
    return grants_claim_rights(*role_of(site, "build").find("rules"));
  };
  bool both = false;
  site.cluster.add_fault(fakes::before(deletes_the_home, [&] {
    both = !site.coder_may_delete() && !grants_claim_rights(*role_of(site, "build").find("rules"));
  }));
  const engine::Outcome outcome = site.run();
  REQUIRE_MESSAGE(outcome.ok(), text_of(outcome));
  CHECK(both);
  CHECK(grants_claim_rights(*role_of(site, "build").find("rules")));
  site.check_moved();
}

TEST_CASE("a freeze is seen and ended where Coder is looked for in the wrong place") {
  HomeSite site;
  site.interrupted = interrupt_when_frozen(site, false);
  CHECK_FALSE(site.run().ok());
  REQUIRE_FALSE(site.coder_may_delete());
  site.interrupted = [] { return false; };
  site.options.coder_ns = "elsewhere";
  const engine::Outcome outcome = site.run();
  REQUIRE_FALSE(outcome.ok());
  CHECK_MESSAGE(contains(outcome.error->what, "has no Deployment of Coder"), text_of(outcome));
  CHECK(site.coder_may_delete());
}

TEST_CASE("an interrupted run gives the rights back where the claim is there") {
  HomeSite site;
  site.settles = true;
  site.interrupted = interrupt_when_frozen(site, false);
  const engine::Outcome outcome = site.run();
  REQUIRE_FALSE(outcome.ok());
  CHECK(outcome.error->kind == Kind::interrupted);
  CHECK(site.coder_may_delete());
  CHECK(site.settled.empty());
  site.interrupted = [] { return false; };
  CHECK(site.run().ok());
  site.check_moved();
}

TEST_CASE("an interrupted run says what stays taken while the name is absent, and why") {
  HomeSite site;
  site.settles = true;
  site.interrupted = interrupt_when_frozen(site, true);
  const engine::Outcome outcome = site.run();
  REQUIRE_FALSE(outcome.ok());
  REQUIRE(site.claim() == nullptr);
  CHECK_FALSE(site.coder_may_delete());
  REQUIRE(site.settled.size() == 1);
  CHECK_MESSAGE(contains(site.settled[0], "is absent, and nobody may build"), site.settled[0]);
  CHECK(contains(site.settled[0], "--accept=thaw"));
  CHECK(contains(site.settled[0], "kubectl patch role"));
  const auto left = left_freezes(site);
  REQUIRE(left.size() == 1);
  CHECK_MESSAGE(contains(left[0].why, "whose run has ended"), left[0].why);
  CHECK(contains(left[0].command, "kubectl patch role"));
  site.interrupted = [] { return false; };
  SUBCASE("the same command again ends it") {
    const engine::Outcome again = site.run();
    REQUIRE_MESSAGE(again.ok(), text_of(again));
    site.check_moved();
  }
  SUBCASE("--accept=thaw gives the rights back whatever is with the home, and does nothing else") {
    site.options.accepted = {k_thaw};
    // Nothing but the Role is needed.
    site.cluster.api.denied = {{"get", "", "persistentvolumes", "", ""}};
    const engine::Outcome thawed = site.run();
    REQUIRE_MESSAGE(thawed.ok(), text_of(thawed));
    CHECK(thawed.acted.size() == 1);
    CHECK(site.coder_may_delete());
    CHECK(site.claim() == nullptr);
    CHECK(kube::label_of(role_of(site), k_frozen_label).empty());
  }
  SUBCASE("rules that cannot be read any more are in the journal") {
    site.cluster.meddle(kube::k_role, HomeSite::k_ns, k_role_name, [](json::Value& role) {
      json::Value annotations = *role.at("/metadata/annotations");
      annotations.set(std::string(k_frozen_rules_annotation), "[{");
      role.set_at("/metadata/annotations", annotations);
    });
    site.options.accepted = {k_thaw};
    const engine::Outcome thawed = site.run();
    REQUIRE_MESSAGE(thawed.ok(), text_of(thawed));
    CHECK(site.coder_may_delete());
  }
}

TEST_CASE("a freeze whose run is alive is no alarm, one whose Lease was not renewed for long is") {
  HomeSite site;
  put_other(site);
  freeze_for_other(site);
  const auto renewed = [&](std::chrono::microseconds ago) {
    site.cluster.meddle(kube::k_lease, HomeSite::k_ns, engine::journal_name("workspace", k_other),
                        [&](json::Value& lease) {
                          lease.set_at("/spec/renewTime", format_micro_time(site.clock.wall() - ago));
                        });
  };
  renewed(std::chrono::seconds(10));
  CHECK(left_freezes(site).empty());
  renewed(std::chrono::hours(1));
  CHECK(left_freezes(site).size() == 1);
  thaw_everything(site);
  CHECK(left_freezes(site).empty());
}

TEST_CASE("a lost connection at the end is said, not kept quiet") {
  HomeSite site;
  site.settles = true;
  auto down = std::make_shared<bool>(false);
  site.interrupted = [&site, down] {
    if (is_frozen_for(site, HomeSite::k_home)) *down = true;
    return *down;
  };
  fakes::Fault fault = fakes::answer([down](const fakes::Seen&) { return *down; }, {403, {}, ""});
  fault.times = -1;
  site.cluster.add_fault(fault);
  CHECK_FALSE(site.run().ok());
  REQUIRE_FALSE(site.settled.empty());
  CHECK_MESSAGE(contains(site.settled[0], "cannot be seen"), site.settled[0]);
}
