#pragma once
// Movers on a fake cluster that do not end as they should, as a test says while it runs.

#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "tests/fakes/fake_cluster.h"

namespace truenas::fakes {

// Thread-safe. It must outlive the cluster's life.
class SpoiledMovers {
 public:
  // Puts itself before what the cluster's Pods do by now.
  void take_over(FakeCluster& cluster);
  // Movers of this mode that mount this claim: "fail" says that it did not work, "crash" is killed without a
  // word, "hold" runs on, anything else ends as it would.
  void set(const std::string& claim, const std::string& mode, const std::string& how);

 private:
  std::string how(const json::Value& pod, const std::string& mode);
  std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, std::string> how_;  // by claim and mode
};

}  // namespace truenas::fakes
