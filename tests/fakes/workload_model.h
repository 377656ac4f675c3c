#pragma once
// The neighbours that run things: kubelet, Jobs, Deployments, the garbage collector, namespaces. Each tick()
// moves each of them one step. What a Pod does when it runs is a test's business (run_pod).

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "tests/fakes/store.h"

namespace truenas::fakes {

// How a Pod's main container ended.
struct PodEnd {
  int exit_code = 0;
  std::string termination_message;
  std::string log;
};

class WorkloadModel {
 public:
  explicit WorkloadModel(Store& store) : store_(store) {}
  void tick();

  // Asked once a Pod with restartPolicy Never runs; nullopt: it goes on running and is asked again at the
  // next tick. Unset: it ends well.
  std::function<std::optional<PodEnd>(const json::Value& pod)> run_pod;
  // Pods by "ns/name" that never become ready.
  std::set<std::string> stuck_pods;
  // Logs by the Pod's uid: a Pod made again under a name begins without one.
  std::map<std::string, std::string> logs;

 private:
  void run(const Key& pod);
  void finish(const Key& pod, const PodEnd& end);
  void complete_job(const Key& job);
  void scale(const Key& deployment);
  void collect_garbage();
  void end_namespaces();
  bool volumes_ready(const json::Value& pod);

  Store& store_;
};

}  // namespace truenas::fakes
