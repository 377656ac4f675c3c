#pragma once
// A stand-in coderd: workspaces, template versions and builds in memory, the API of facts/coder.md 3 over
// them, and a provisioner whose builds really do to the cluster's claims what Terraform does
// (coderd_terraform.h). Time passes only in tick(), which also is the only one that talks to the cluster;
// handle() answers from what was seen last. Thread-safe.
//
//   Coderd coder(door_to(cluster), [&] { return cluster.elapsed(); });
//   coder.add_template("kubernetes", text);  coder.adopt_claims("coder-workspaces");
//   cluster.each_tick = [&] { coder.tick(); };

#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "lib/base/clock.h"
#include "lib/http/transport.h"
#include "tests/fakes/coderd_terraform.h"
#include "tests/fakes/faults.h"

namespace truenas::fakes {

struct CoderdVersion {
  std::string id, name, template_name, file_id, text;
  std::map<std::string, std::string> variables;  // Terraform's, as the API shows them
};

struct CoderdTemplate {
  std::string id, name, active_version_id;
  bool require_active_version = false;
};

struct CoderdBuild {
  std::string id, workspace_id, version_id, transition;
  std::int64_t number = 0;
  std::string created_at;  // by this machine's clock
  std::string job_status = "pending", error;
  std::vector<std::string> log;
  ClaimState state;                  // after it; as far as it came
  bool has_workload = false;         // the Deployment is in the state
  std::vector<std::string> actions;  // of its plan
  Milliseconds since{0};             // of its current phase
  std::optional<ClaimPlan> plan;     // saved; being applied
  std::string failure;               // the first of the apply
  bool over() const {
    return job_status == "succeeded" || job_status == "failed" || job_status == "canceled";
  }
};

struct CoderdWorkspace {
  std::string id, name, owner, owner_id, template_name, ns;
  std::map<std::string, std::string> parameters;
  std::vector<std::string> builds;  // oldest first
  std::string autostart_schedule, next_start_at, dormant_at, deleting_at;
  std::optional<Milliseconds> autostart_due;  // in the stand-in's time: when its schedule next says so
  bool updates_always = false, deleted = false;
  bool ready = false;  // its Deployment is, as last seen
};

struct CoderdUser {
  std::string id, username, token;
  std::vector<std::string> roles;
};

struct CoderdOptions {
  Milliseconds pending{1000}, planning{1000};        // how long a job waits, and how long its plan takes
  Milliseconds patience{1'200'000};                  // for a claim that does not go (20 min)
  int requests_a_minute = 512, files_a_minute = 12;  // 0: no limit
  std::string image = "registry.k8s.io/pause:3.10";
  std::string workspaces_ns = "coder-workspaces";          // Terraform's var.namespace
  std::string coderd_ns = "coder", coderd_name = "coder";  // its own Deployment; at 0 replicas nobody answers
};

class Coderd {
 public:
  Coderd(ClusterDoor door, std::function<Milliseconds()> now, CoderdOptions options = {});

  // Adds a template with its first version, or another version; the first is active. The version's id.
  std::string add_version(const std::string& template_name, const std::string& text, bool activate = true);
  void activate(const std::string& version_id);
  // A workspace whose last build was a success of the active version: a start where the cluster has its
  // Deployment.
  std::string add_workspace(CoderdWorkspace workspace, const std::string& claim);
  // The same for every claim of the namespace that is named or labelled for a workspace id.
  void adopt_claims(const std::string& ns, const std::string& template_name);
  // Anybody's build: "" is the version of the last one. nullopt: one is active.
  std::optional<std::string> build(const std::string& workspace_id, const std::string& transition,
                                   const std::string& version_id = "");

  void tick();
  // One request, faults included; nullopt: no answer (dropped, refused, or coderd is at 0 replicas).
  std::optional<http::Response> handle(const http::Request& request);

  CoderdBuild find_build(const std::string& id);
  CoderdWorkspace find_workspace(const std::string& id);
  // Builds of these workspaces stay between plan and apply (rows H4, H6, H7).
  void hold(const std::string& workspace_id, bool held);
  // The apply that runs is interrupted where it is (row C4).
  void interrupt(const std::string& workspace_id);
  void change_workspace(const std::string& id, const std::function<void(CoderdWorkspace&)>& edit);
  void change_template(const std::string& name, const std::function<void(CoderdTemplate&)>& edit);
  void add_fault(Fault fault);
  std::size_t requests() const;
  std::vector<std::string> builds() const;  // ids in the order in which they were made
  bool prebuilds_paused = false;
  std::vector<CoderdUser> users;  // the first is an owner with token "coder-test-token"

 private:
  friend class CoderdApi;
  struct Counter {
    std::int64_t minute = -1;
    int used = 0;
  };
  std::string new_id();
  std::string start_build(const CoderdWorkspace& workspace, const std::string& transition,
                          const std::string& version_id);
  TextValues values_of(const CoderdWorkspace& workspace, const std::string& transition) const;
  void advance(CoderdBuild& build);
  void run_plan(CoderdBuild& build, const CoderdWorkspace& workspace);
  void run_apply(CoderdBuild& build, const CoderdWorkspace& workspace);
  bool remove_workload(CoderdBuild& build, const CoderdWorkspace& workspace);
  void create_workload(CoderdBuild& build, const CoderdWorkspace& workspace);
  void finish(CoderdBuild& build, const std::string& error);
  void autostart();
  void look_around();
  const CoderdBuild& latest(const CoderdWorkspace& workspace) const;

  const ClusterDoor door_;
  const std::function<Milliseconds()> now_;
  const CoderdOptions options_;
  mutable std::recursive_mutex mutex_;
  std::uint64_t ids_ = 0;
  bool down_ = false;
  std::map<std::string, CoderdTemplate> templates_;  // by name
  std::map<std::string, CoderdVersion> versions_;
  std::map<std::string, CoderdWorkspace> workspaces_;
  std::map<std::string, CoderdBuild> builds_;
  std::vector<std::string> build_order_;
  std::set<std::string> held_, interrupted_;
  Faults faults_;
  std::size_t requests_ = 0, writes_ = 0;
  std::map<std::string, Counter> counters_;
};

// The template of Coder's own registry, as far as the claim goes; `spec` goes into its spec block, `rest`
// into the resource (lifecycle, count), `around` behind it.
std::string coderd_template(const std::string& spec = "", const std::string& rest = "",
                            const std::string& around = "",
                            const std::string& type = "kubernetes_persistent_volume_claim");

}  // namespace truenas::fakes
