// What a namespace's rules say to a move: quota, LimitRange, PodSecurity, webhooks. What would keep a home's
// user waiting, or the name absent, must be found while everything is as it was.

#include "tests/fakes/faults.h"
#include "tests/fakes/status_reply.h"
#include "tests/unit/workflow/home_site.h"

namespace truenas::workflow {
namespace {

std::function<bool(const fakes::Seen&)> trial_of(const std::string& plural) {
  return [plural](const fakes::Seen& seen) {
    return seen.what.method == "POST" && contains(seen.what.target, "/" + plural) &&
           contains(seen.what.target, "dryRun=All");
  };
}

void refuse_always(HomeSite& site, std::function<bool(const fakes::Seen&)> when, const std::string& message) {
  fakes::Fault fault = fakes::answer(std::move(when), fakes::failure(403, "Forbidden", message, "", "", ""));
  fault.times = -1;
  site.cluster.add_fault(fault);
}

std::string tight_quota(int used, int limited) {
  return fmt::format(
      "persistentvolumeclaims \"x\" is forbidden: exceeded quota: tight, requested: "
      "persistentvolumeclaims=1, "
      "used: persistentvolumeclaims={}, limited: persistentvolumeclaims={}",
      used, limited);
}

void check_untouched(HomeSite& site) {
  CHECK(site.mover.modes.empty());
  CHECK(site.volume().text_at("/spec/persistentVolumeReclaimPolicy") == "Delete");
  CHECK(site.claim()->text_at("/spec/storageClassName") == "truenas-nfs");
  CHECK(site.files() == site.before);
  site.check_clean();
}

void hold(HomeSite& site, bool held) {
  for (const json::Value* claim : site.cluster.store.list("", "persistentvolumeclaims")) {
    const std::string name = claim->text_at("/metadata/name");
    if (!name.starts_with("truenas-migrate-")) continue;
    site.cluster.meddle(kube::k_claim, HomeSite::k_ns, name, [&](json::Value& temporary) {
      temporary.set_at("/metadata/finalizers", held ? yaml("[kubernetes.io/pvc-protection, example.com/hold]")
                                                    : yaml("[kubernetes.io/pvc-protection]"));
    });
  }
}

}  // namespace

TEST_CASE("a namespace that does not take the mover's Pod is left as it was") {
  HomeSite site;
  bool strict = true;
  const auto of_pods = trial_of("pods");
  refuse_always(
      site, [&](const fakes::Seen& seen) { return strict && of_pods(seen); },
      "pods \"m\" is forbidden: violates PodSecurity \"restricted:latest\"");
  const engine::Outcome outcome = site.run();
  REQUIRE_FALSE(outcome.ok());
  CHECK(outcome.error->kind == Kind::refused);
  CHECK(contains(join(outcome.error->hints, "\n"), "enforce=baseline"));
  check_untouched(site);
  strict = false;
  const engine::Outcome again = site.run();
  REQUIRE_MESSAGE(again.ok(), text_of(again));
  site.check_moved();
}

TEST_CASE("a claim that the namespace would not take changes nothing") {
  HomeSite site;
  std::string message = tight_quota(2, 2);
  SUBCASE("quota") {}
  SUBCASE("LimitRange") {
    message =
        "persistentvolumeclaims \"x\" is forbidden: minimum storage usage per PersistentVolumeClaim is 20Gi";
  }
  refuse_always(site, trial_of("persistentvolumeclaims"), message);
  const engine::Outcome outcome = site.run();
  REQUIRE_FALSE(outcome.ok());
  CHECK(outcome.error->kind == Kind::refused);
  CHECK(contains(outcome.error->what, "would not be taken on truenas-csi-nfs"));
  CHECK(contains(join(outcome.error->hints, "\n"), "kubectl describe "));
  check_untouched(site);
}

TEST_CASE("a quota that the temporary claim fills is no reason to give up what was begun") {
  HomeSite site;
  bool stops = false;
  site.interrupted = [&] { return stops; };
  site.mover.while_moving = [&](const std::string& mode) { stops = mode == "compare"; };
  CHECK_FALSE(site.run().ok());
  REQUIRE(site.count("persistentvolumeclaims", "truenas-migrate-") == 1);
  stops = false;
  site.mover.while_moving = nullptr;
  SUBCASE("it has room once that is gone") {
    refuse_always(site, trial_of("persistentvolumeclaims"), tight_quota(2, 2));
    const engine::Outcome outcome = site.run();
    REQUIRE_MESSAGE(outcome.ok(), text_of(outcome));
    site.check_moved();
  }
  SUBCASE("it has none even then") {
    refuse_always(site, trial_of("persistentvolumeclaims"), tight_quota(3, 2));
    const engine::Outcome outcome = site.run();
    REQUIRE_FALSE(outcome.ok());
    CHECK(contains(outcome.error->what, "exceeded quota"));
    CHECK(site.files() == site.before);
    CHECK(site.claim()->text_at("/spec/storageClassName") == "truenas-nfs");
  }
}

TEST_CASE("a moved home goes back where the quota has room for as many claims as there are") {
  HomeSite site;
  REQUIRE(site.run().ok());
  refuse_always(site, trial_of("persistentvolumeclaims"), tight_quota(2, 2));
  site.options.rollback = true;
  site.options.accepted = {k_newer_writes};
  const engine::Outcome back = site.run();
  REQUIRE_MESSAGE(back.ok(), text_of(back));
  CHECK(site.claim()->text_at("/spec/storageClassName") == "truenas-nfs");
}

TEST_CASE("a webhook that would make another claim of it is found in the trial") {
  HomeSite site;
  fakes::Fault fault = fakes::answer(
      trial_of("persistentvolumeclaims"),
      {201,
       {},
       R"({"apiVersion":"v1","kind":"PersistentVolumeClaim","metadata":{"name":"x","namespace":"y",)"
       R"("finalizers":["kubernetes.io/pvc-protection","example.com/hold"]},"spec":{}})"});
  fault.times = -1;
  site.cluster.add_fault(fault);
  const engine::Outcome outcome = site.run();
  REQUIRE_FALSE(outcome.ok());
  CHECK(outcome.error->kind == Kind::refused);
  CHECK(contains(outcome.error->what, "example.com/hold"));
  check_untouched(site);
}

TEST_CASE("a temporary claim that could not be removed is found before the exchange") {
  HomeSite site;
  std::string at;
  SUBCASE("made so") {
    at = "probe";
  }
  SUBCASE("made so at the last moment") {
    at = "compare";
  }
  site.mover.while_moving = [&](const std::string& mode) {
    if (mode == at) hold(site, true);
  };
  const engine::Outcome outcome = site.run();
  REQUIRE_FALSE(outcome.ok());
  CHECK(outcome.error->kind == Kind::stopped);
  CHECK(contains(outcome.error->what, "has the finalizer example.com/hold"));
  CHECK(site.coder_may_delete());
  CHECK(site.claim()->text_at("/spec/storageClassName") == "truenas-nfs");
  CHECK(site.files() == site.before);
  hold(site, false);
  site.mover.while_moving = nullptr;
  const engine::Outcome again = site.run();
  REQUIRE_MESSAGE(again.ok(), text_of(again));
  site.check_moved();
}

TEST_CASE(
    "a claim that is refused only when its name is absent: the bytes are kept, and the next run goes on") {
  HomeSite site;
  const auto real = [](const fakes::Seen& seen) {
    return seen.what.method == "POST" && contains(seen.what.target, "/persistentvolumeclaims") &&
           !contains(seen.what.target, "dryRun=All") && !contains(seen.what.body, "temporary-claim");
  };
  site.cluster.add_fault(fakes::answer(
      real,
      fakes::failure(403, "", "admission webhook \"a.b\" denied the request: under review", "", "", "")));
  const engine::Outcome outcome = site.run();
  REQUIRE_FALSE(outcome.ok());
  CHECK(outcome.error->kind == Kind::stopped);
  CHECK(contains(outcome.error->what, "is not taken by the server"));
  CHECK(contains(join(outcome.error->hints, "\n"), "the home's bytes are kept on volume"));
  CHECK(site.claim() == nullptr);
  CHECK(site.cluster.destroyed_data().empty());
  const engine::Outcome again = site.run();
  REQUIRE_MESSAGE(again.ok(), text_of(again));
  site.check_moved();
}

}  // namespace truenas::workflow
