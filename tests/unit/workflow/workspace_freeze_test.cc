// Coder's rights while a home moves: taken before the name is absent, never given back too early; and other
// homes of the namespace, whose runs do the same.

#include <doctest/doctest.h>

#include "tests/unit/workflow/freeze_site.h"

using namespace truenas;
using namespace truenas::workflow;

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

TEST_CASE("of a home whose run asked Coder nobody else takes the freeze off, also when that run has ended") {
  HomeSite site;
  put_other(site);
  freeze_for_other(site);
  release_other(site);
  const std::string other = std::string(HomeSite::k_ns) + "/" + k_other;
  const auto mark = [&](const std::string& text) {
    site.cluster.meddle(kube::k_role, HomeSite::k_ns, k_role_name, [&](json::Value& role) {
      json::Value annotations = *role.at("/metadata/annotations");
      annotations.set(std::string(k_asked_for_annotation), text);
      role.set_at("/metadata/annotations", annotations);
    });
  };
  SUBCASE("it is named") {
    mark("[\"" + other + "\"]");
  }
  SUBCASE("it cannot be read") {
    mark("[{");
  }
  const engine::Outcome outcome = site.run();
  REQUIRE_MESSAGE(outcome.ok(), text_of(outcome));
  CHECK_FALSE(is_frozen_for(site, HomeSite::k_home));
  CHECK(is_frozen_for(site, k_other));
  CHECK_FALSE(site.coder_may_delete());
  CHECK(is_asked_for(role_of(site), other));
  // That home's own run does, or its user by consent.
  site.options.claim = k_other;
  site.options.accepted = {k_thaw};
  const engine::Outcome thawed = site.run();
  REQUIRE_MESSAGE(thawed.ok(), text_of(thawed));
  CHECK(site.coder_may_delete());
  CHECK_FALSE(is_asked_for(role_of(site), other));
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
  CHECK(outcome.error->kind == Kind::refused);
  CHECK(contains(outcome.error->what, "not currently held: deletecollection"));
  CHECK(contains(join(outcome.error->hints, "\n"), "escalate"));
  CHECK(site.mover.modes.empty());
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
