// Rows A to H, M and O of the outcome matrix (facts 6), done by the stand-in's builds: what Terraform was
// measured to do to a home, done here to a claim with a file on its volume.

#include "tests/fakes/coderd_rows.h"

using namespace truenas;
using namespace truenas::fakes;

TEST_CASE("coderd: rows A and B: no class in the text, or the one that the claim has") {
  {
    CoderSite site(k_unset);
    stays("A1", site, k_unset);
  }
  {
    CoderSite site(k_unset);
    site.swap();
    stays("A2", site, k_unset);
  }
  {
    CoderSite site(k_old_text);
    stays("A3", site, k_unset);
  }
  {
    CoderSite site(k_old_text);
    site.swap();
    stays("A4", site, k_unset);
  }
  {
    CoderSite site(k_old_text);
    stays("B1", site, k_old_text);
  }
}

TEST_CASE("coderd: rows C and D: another class in the text") {
  {
    CoderSite site(k_old_text);
    replaced("C1", site, k_new_text);
  }
  {
    CoderSite site(k_old_text);
    replaced("C2", site, k_new_text, true);
  }
  {
    CoderSite site(k_unset);
    replaced("C3", site, k_new_text);
  }
  {
    CoderSite site(k_old_text);
    site.swap();
    replaced("D1", site, k_old_text, true);
    CHECK(site.claim()->text_at("/spec/storageClassName") == k_old_class);
  }
}

TEST_CASE("coderd: rows C4 and H5: a claim that is being deleted plans clean and goes with its holder") {
  CoderSite site(k_old_text);
  rows_seen().insert({"C4", "H5"});
  REQUIRE(site.run("start"));
  site.edit([](json::Value& claim) {
    claim.set_at("/metadata/finalizers", json::Value::array({"example.com/held"}));
  });
  const auto build =
      site.coder.build(k_workspace_id, "stop", site.coder.add_version("kubernetes", k_new_text));
  REQUIRE(build);
  REQUIRE(site.cluster.tick_until([&] { return site.claim()->at("/metadata/deletionTimestamp") != nullptr; },
                                  20));
  site.coder.interrupt(k_workspace_id);
  REQUIRE(site.cluster.tick_until([&] { return site.coder.find_build(*build).over(); }, 20));
  CHECK(site.coder.find_build(*build).job_status == "failed");
  CHECK(site.update(k_old_text, "stop"));
  CHECK(actions_of(site).empty());
  CHECK(site.claim()->at("/metadata/deletionTimestamp") != nullptr);
  site.edit([](json::Value& claim) { claim.set_at("/metadata/finalizers", json::Value::array()); });
  site.cluster.store.finish_deletion(key_of(kube::k_claim, k_home_ns, k_home));
  site.cluster.tick(5);
  CHECK(site.claim() == nullptr);
  CHECK(site.lost());
}

TEST_CASE("coderd: rows E and F: the new class, and what ignore_changes covers") {
  {
    CoderSite site(k_old_text);
    site.swap();
    stays("E1", site, k_new_text);
  }
  const std::string old_ignored = coderd_template(class_line(k_old_class), k_ignore_class);
  const std::string new_ignored = coderd_template(class_line(k_new_class), k_ignore_class);
  {
    CoderSite site(old_ignored);
    site.swap();
    stays("F1", site, old_ignored);
  }
  {
    CoderSite site(k_old_text);
    stays("F1b", site, new_ignored);
  }
  {
    CoderSite site(k_old_text);
    site.swap();
    stays("F1c", site, new_ignored);
  }
  const std::string all = coderd_template(class_line(k_old_class), ignore("all"));
  {
    CoderSite site(all);
    site.swap();
    stays("F2", site, all);
  }
  {
    CoderSite site(k_old_text);
    stays("F2b", site, coderd_template(class_line(k_new_class), ignore("all")));
  }
  {
    CoderSite site(all);
    site.swap([](json::Value& claim) {
      modes_rwx(claim);
      claim.set_at("/spec/resources/requests/storage", "20Gi");
      claim.remove_at("/metadata/labels");
    });
    stays("F2c", site, all);
  }
}

TEST_CASE("coderd: rows G, M and O: sizes") {
  const auto ask = [](std::string_view size) {
    return [size](json::Value& claim) { claim.set_at("/spec/resources/requests/storage", size); };
  };
  {
    CoderSite site;
    site.edit(ask("20Gi"));
    replaced("G1", site, k_unset);
  }
  {
    CoderSite site;
    site.edit(ask("20Gi"));
    replaced("G2", site, coderd_template("", k_ignore_class));
  }
  {
    CoderSite site;
    site.edit(ask("20Gi"));
    stays("G3", site, coderd_template("", ignore("[spec[0].resources]")));
  }
  {
    CoderSite site;
    site.edit(ask("20Gi"));
    stays("G4", site, coderd_template("", ignore("all")));
  }
  {
    CoderSite site;
    site.swap(ask("5Gi"));
    updated("G5", site, k_unset);
    CHECK(site.claim()->text_at("/spec/resources/requests/storage") == "10Gi");
  }
  {
    CoderSite site;
    rows_seen().insert("G6");
    site.cluster.meddle(kube::k_storage_class, "", k_old_class,
                        [](json::Value& object) { object.set("allowVolumeExpansion", false); });
    site.coder.change_workspace(k_workspace_id,
                                [](CoderdWorkspace& one) { one.parameters["home_disk_size"] = "20"; });
    CHECK_FALSE(site.run("start"));
    CHECK(site.coder.find_build(site.last).error.find("only dynamically provisioned pvc") !=
          std::string::npos);
    CHECK(site.home_has_data());
  }
  {
    CoderSite site;
    site.swap();
    site.edit([](json::Value& claim) { claim.set_at("/status/capacity/storage", "20Gi"); });
    stays("M1", site, k_unset);
  }
  {
    CoderSite site;
    site.edit(ask("10240Mi"));
    stays("O1", site, k_unset);
  }
  {
    CoderSite site;
    site.swap(ask("10737418240"));
    stays("O2", site, k_unset);
  }
  {
    CoderSite site;
    site.swap();
    std::string text = k_unset;
    const std::string written = "${data.coder_parameter.home_disk_size.value}Gi";
    text.replace(text.find(written), written.size(), "10240Mi");
    stays("O3", site, text);
  }
}

TEST_CASE("coderd: rows H: a claim that is not there makes an empty one, whatever the text ignores") {
  struct Case {
    std::string row, text;
    std::string_view made_on;
  };
  for (const Case& one : {Case{"H1", k_unset, k_old_class}, Case{"H2", k_old_text, k_old_class},
                          Case{"H3", coderd_template(class_line(k_new_class), ignore("all")), k_new_class}}) {
    CAPTURE(one.row);
    rows_seen().insert(one.row);
    CoderSite site;
    site.retain(site.volume());
    site.cluster.erase(kube::k_claim, k_home_ns, k_home);
    CHECK(site.update(one.text));
    CHECK(actions_of(site) == Actions{"create kubernetes_persistent_volume_claim.home"});
    CHECK(site.claim()->text_at("/spec/storageClassName") == one.made_on);
    CHECK_FALSE(site.home_has_data());
  }
}

TEST_CASE("coderd: rows H4, H6, H7: planned before the swap, or in its gap, and applied after it") {
  {
    CoderSite site;
    rows_seen().insert("H4");
    site.coder.hold(k_workspace_id, true);
    const json::Value old = *site.claim();
    site.retain(site.volume());
    site.cluster.erase(kube::k_claim, k_home_ns, k_home);
    const auto build = site.coder.build(k_workspace_id, "start");
    site.cluster.tick(5);
    site.cluster.put(old);
    const std::string uid = site.uid();
    site.coder.hold(k_workspace_id, false);
    REQUIRE(site.cluster.tick_until([&] { return site.coder.find_build(*build).over(); }, 20));
    CHECK(site.coder.find_build(*build).job_status == "failed");
    CHECK(site.coder.find_build(*build).error.find("already exists") != std::string::npos);
    CHECK_FALSE(site.run("start"));  // the state has lost it: the same again
    CHECK(actions_of(site) == Actions{"create kubernetes_persistent_volume_claim.home"});
    CHECK(site.uid() == uid);
  }
  for (const bool destroys : {false, true}) {
    CAPTURE(destroys);
    rows_seen().insert(destroys ? "H7" : "H6");
    CoderSite site(destroys ? k_old_text : k_unset);
    site.coder.hold(k_workspace_id, true);
    const std::string version = site.coder.add_version("kubernetes", destroys ? k_new_text : k_unset);
    const auto build = site.coder.build(k_workspace_id, "stop", version);
    site.cluster.tick(5);
    site.swap();
    const std::string uid = site.uid(), volume = site.volume();
    site.coder.hold(k_workspace_id, false);
    REQUIRE(site.cluster.tick_until([&] { return site.coder.find_build(*build).over(); }, 50));
    CHECK((site.uid() == uid) == !destroys);
    CHECK(site.home_has_data() == !destroys);
    CHECK_FALSE(site.lost());  // Retain is all that kept it
  }
}
