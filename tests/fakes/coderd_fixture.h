#pragma once
// The runbook's classes, one workspace and the stand-in coderd, for the tests of the stand-in and of Coder's
// client.

#include <doctest/doctest.h>

#include "tests/fakes/coderd_transport.h"
#include "tests/fakes/fake_transport.h"
#include "tests/fakes/site.h"

namespace truenas::fakes {

inline constexpr const char* k_home_ns = "coder-workspaces";
inline constexpr const char* k_workspace_id = "6f3d9a52-3c1e-4b7e-9d55-0d4a1c2b3e4f";
inline const std::string k_home = std::string("coder-") + k_workspace_id + "-home";

// A claim as the default template makes it, on the old class, with a file on its volume.
struct CoderSite {
  FakeCluster cluster;
  FakeClock clock{cluster};
  Coderd coder;
  std::unique_ptr<kube::Session> session = make_session(cluster, clock);
  std::unique_ptr<coder::ServerSession> server = make_server_session(coder, clock);
  kube::Writer writer{*session, any_permit()};

  // `made_from` is the text that the home was made from: its first build was one of it.
  explicit CoderSite(const std::string& made_from = coderd_template(), const CoderdOptions& options = {})
      : coder(
            door_to(cluster), [this] { return cluster.elapsed(); }, options) {
    build_classes(cluster);
    set_default(k_old_class);
    coder.add_version("kubernetes", made_from);
    cluster.each_tick = [this] { coder.tick(); };
    CoderdWorkspace workspace;
    workspace.id = k_workspace_id, workspace.name = "dev", workspace.owner = "ada";
    workspace.template_name = "kubernetes", workspace.ns = k_home_ns;
    workspace.parameters = {{"home_disk_size", "10"}};
    coder.add_workspace(workspace, "");
    REQUIRE(run("start"));
    REQUIRE(run("stop"));
    cluster.storage.dataset_of(k_home_ns, k_home)->files = {{"work/main.go", "package main"}};
    // A claim of a real cluster has this from its controller; row K2 is about it.
    edit([](json::Value& claim) {
      claim.set_at("/metadata/annotations/pv.kubernetes.io~1bind-completed", "yes");
    });
  }

  void set_default(std::string_view name) {
    for (std::string_view one : {k_old_class, k_new_class}) {
      cluster.meddle(kube::k_storage_class, "", one, [&](json::Value& object) {
        object.set_at("/metadata/annotations/storageclass.kubernetes.io~1is-default-class",
                      one == name ? "true" : "false");
      });
    }
  }

  // A build to its end; false when it failed.
  bool run(const std::string& transition, const std::string& version = "") {
    const auto id = coder.build(k_workspace_id, transition, version);
    REQUIRE(id);
    last = *id;
    REQUIRE(cluster.tick_until([&] { return coder.find_build(last).over(); }, 100));
    return coder.find_build(last).job_status == "succeeded";
  }
  bool update(const std::string& text, const std::string& transition = "start") {
    return run(transition, coder.add_version("kubernetes", text));
  }

  const json::Value* claim() const { return cluster.find(kube::k_claim, k_home_ns, k_home); }
  std::string uid() const { return claim() == nullptr ? "" : claim()->text_at("/metadata/uid"); }
  std::string volume() const { return claim() == nullptr ? "" : claim()->text_at("/spec/volumeName"); }
  void edit(const std::function<void(json::Value&)>& change) {
    cluster.meddle(kube::k_claim, k_home_ns, k_home, change);
  }
  void retain(const std::string& name) {
    cluster.meddle(kube::k_volume, "", name, [](json::Value& object) {
      object.set_at("/spec/persistentVolumeReclaimPolicy", "Retain");
    });
  }
  bool home_has_data() {
    const Dataset* home = cluster.storage.dataset_of(k_home_ns, k_home);
    return home != nullptr && home->files.contains("work/main.go");
  }
  bool lost() const { return !cluster.destroyed_data().empty(); }

  // The swap as a migration would leave it: the same claim by name on the new class, on a Retain volume with
  // a copy of the data; `change` sees the new claim before it is created.
  void swap(const std::function<void(json::Value&)>& change = {});

  std::string last;  // build
};

}  // namespace truenas::fakes
