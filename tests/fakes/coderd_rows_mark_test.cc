// Rows I to L and N of the outcome matrix (facts 6), done by the stand-in's builds: what Terraform was
// measured to do to a home, done here to a claim with a file on its volume.

#include "tests/fakes/coderd_rows.h"

using namespace truenas;
using namespace truenas::fakes;

TEST_CASE("coderd: rows I: another type of resource") {
  for (const bool ignored : {false, true}) {
    CAPTURE(ignored);
    rows_seen().insert(ignored ? "I2" : "I1");
    CoderSite site;
    const std::string text = coderd_template("", ignored ? ignore("all") : "", "", k_v1);
    CHECK_FALSE(site.update(text, "stop"));
    CHECK(site.coder.find_build(site.last).error.find("already exists") != std::string::npos);
    site.cluster.tick(5);
    CHECK(site.claim() == nullptr);
    CHECK(site.lost());
    CHECK(site.run("start"));
    CHECK(actions_of(site) == Actions{"create kubernetes_persistent_volume_claim_v1.home"});
  }
  {
    CoderSite site;
    rows_seen().insert("I3");
    CHECK_FALSE(site.update(coderd_template("", ignore("all"), k_moved, k_v1)));
    CHECK(site.coder.find_build(site.last).error.find("Move Resource State Not Supported") !=
          std::string::npos);
    CHECK(site.home_has_data());
  }
  {
    CoderSite site;
    rows_seen().insert("I4");
    const std::string uid = site.uid(), text = coderd_template("", "", k_carry_over, k_v1);
    CHECK(site.update(text));
    CHECK(site.uid() == uid);
    CHECK(site.coder.find_build(site.last).state ==
          ClaimState{{k_v1 + ".home", std::string(k_home_ns) + "/" + k_home}});
    CHECK(site.run("stop"));
    CHECK(actions_of(site).empty());
    CHECK(site.home_has_data());
  }
  {
    CoderSite site;
    rows_seen().insert("I5");
    site.coder.add_version("kubernetes", coderd_template("", "", k_carry_over, k_v1));
    CoderdWorkspace fresh;
    fresh.id = "7f3d9a52-3c1e-4b7e-9d55-0d4a1c2b3e50", fresh.name = "new", fresh.owner = "bob";
    fresh.template_name = "kubernetes", fresh.ns = k_home_ns, fresh.parameters = {{"home_disk_size", "10"}};
    site.coder.add_workspace(fresh, "");
    const auto build = site.coder.build(fresh.id, "start");
    REQUIRE(site.cluster.tick_until([&] { return site.coder.find_build(*build).over(); }, 20));
    CHECK(site.coder.find_build(*build).error.find("Cannot import non-existent remote object") !=
          std::string::npos);
  }
}

TEST_CASE("coderd: rows J, K, L and N: annotations, labels and modes") {
  const auto mark = [](std::string_view where, std::string_view key) {
    return [pointer = std::string(where) + "/" + json::pointer_token(key)](json::Value& claim) {
      claim.set_at(pointer, "x");
    };
  };
  const std::string annotations = "/metadata/annotations", labels = "/metadata/labels";
  {
    CoderSite site;
    site.swap(mark(annotations, "example.com/moved"));
    updated("J1", site, k_unset);
    CHECK(site.claim()->at(annotations + "/example.com~1moved") == nullptr);
  }
  {
    CoderSite site;
    site.swap(mark(annotations, "migrate.kubernetes.io/moved"));
    stays("J2", site, k_unset);
  }
  {
    CoderSite site;
    site.swap([](json::Value& claim) { claim.remove_at("/metadata/labels"); });
    updated("K1", site, k_unset);
    CHECK(site.claim()->text_at(labels + "/com.coder.workspace.id") == k_workspace_id);
  }
  {
    CoderSite site;
    site.swap([](json::Value& claim) { claim.remove_at("/metadata/annotations/com.coder.user.email"); });
    const std::string bound = annotations + "/pv.kubernetes.io~1bind-completed";
    REQUIRE(site.claim()->at(bound) != nullptr);
    updated("K2", site, k_unset);
    CHECK(site.claim()->at(bound) == nullptr);
  }
  {
    CoderSite site;
    site.swap(modes_rwx);
    replaced("L1", site, k_unset, true);
  }
  {
    const std::string text = coderd_template(class_line(k_old_class), k_ignore_class);
    CoderSite site(text);
    site.swap(modes_rwx);
    replaced("L2", site, text, true);
    CHECK(site.claim()->text_at("/spec/storageClassName") == k_old_class);
  }
  {
    CoderSite site;
    site.swap(mark(labels, "migrate.kubernetes.io/x"));
    stays("N1", site, k_unset);
  }
  for (const auto& [row, key] :
       {std::pair("N2", "app.kubernetes.io/managed-by"), std::pair("N3", "x.k8s.io/y")}) {
    CoderSite site;
    site.swap(mark(labels, key));
    updated(row, site, k_unset);
    CHECK(site.claim()->at(labels + "/" + json::pointer_token(key)) == nullptr);
  }
}

TEST_CASE("coderd: a home with count = start_count goes with every stop") {
  CoderSite site;
  CHECK(site.update(coderd_template("", "  count = data.coder_workspace.me.start_count\n")));
  CHECK(site.home_has_data());
  CHECK(site.run("stop"));
  CHECK(actions_of(site) == Actions{"delete kubernetes_persistent_volume_claim.home"});
  site.cluster.tick(5);
  CHECK(site.lost());
}

TEST_CASE("coderd: the rows above are all that were measured") {
  CHECK(rows_seen().size() == 48);
}
