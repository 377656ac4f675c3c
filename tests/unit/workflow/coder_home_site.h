#pragma once
// The site with homes, and a Coder that the run has a token for: a stand-in whose builds really do to claims
// and Deployments what Coder's do. The home's workspace runs, and starts by a schedule.

#include "lib/workflow/workspace_copy/coder_control.h"
#include "tests/fakes/coderd_transport.h"
#include "tests/fakes/faults.h"
#include "tests/unit/workflow/home_site.h"

namespace truenas::workflow {

inline std::string text_with_hints(const engine::Outcome& outcome) {
  return outcome.ok() ? "done: " + outcome.done->summary
                      : std::string(kind_name(outcome.error->kind)) + ": " + outcome.error->what + " (" +
                            join(outcome.error->hints, "; ") + ")";
}

class CoderHomeSite : public HomeSite {
 public:
  static constexpr const char* k_workspace = "0b9d7f63-52d4-4e0b-a0f3-77c1d2e3f403";
  static constexpr const char* k_schedule = "CRON_TZ=UTC 30 9 * * 1-5";

  explicit CoderHomeSite(const fakes::CoderdOptions& speed = {})
      : coder(
            fakes::door_to(cluster), [this] { return cluster.elapsed(); }, speed) {
    version = coder.add_version("kubernetes", fakes::coderd_template());
    fakes::CoderdWorkspace workspace;
    workspace.id = k_workspace, workspace.name = "dev", workspace.owner = "ada";
    workspace.template_name = "kubernetes", workspace.ns = k_ns;
    workspace.parameters = {{"home_disk_size", "10"}};
    workspace.autostart_schedule = k_schedule;
    coder.add_workspace(workspace, k_home);
    cluster.each_tick = [this] {
      coder.tick();
      if (each_tick) each_tick();
    };
    build("start");
    options.max_downtime = Seconds(600);
    control = &through_coder_;
  }

  // Anybody's build, to its end.
  void build(const std::string& transition, const std::string& of = "") {
    const auto id = coder.build(k_workspace, transition, of);
    REQUIRE(id);
    REQUIRE(cluster.tick_until([&] { return coder.find_build(*id).over(); }, 100));
    REQUIRE(coder.find_build(*id).error == "");
    cluster.tick(5);
  }
  fakes::CoderdBuild last_build() {
    return coder.find_build(coder.find_workspace(k_workspace).builds.back());
  }
  std::string schedule() { return coder.find_workspace(k_workspace).autostart_schedule; }
  bool is_used() {
    for (const json::Value* pod : cluster.store.list("", "pods", k_ns)) {
      if (pod->text_at("/metadata/labels/com.coder.workspace.id") == k_workspace) return true;
    }
    return false;
  }
  std::size_t stops() {
    std::size_t found = 0;
    // The first build stands for how the stand-in has found the home.
    const std::vector<std::string> builds = coder.find_workspace(k_workspace).builds;
    for (std::size_t i = 1; i < builds.size(); ++i) found += coder.find_build(builds[i]).transition == "stop";
    return found;
  }
  // As before the run, but for the volume.
  void check_runs_again() {
    CHECK(last_build().transition == "start");
    CHECK(last_build().job_status == "succeeded");
    CHECK(last_build().version_id == version);
    CHECK(schedule() == k_schedule);
    CHECK(is_used());
  }
  void check_moved_and_running() {
    check_moved();
    check_runs_again();
  }

  fakes::Coderd coder;
  std::string version;
  std::function<void()> each_tick;

 private:
  std::unique_ptr<coder::ServerSession> server_ = fakes::make_server_session(coder, clock);
  CoderControl through_coder_{*server_, k_workspace};
};

}  // namespace truenas::workflow
