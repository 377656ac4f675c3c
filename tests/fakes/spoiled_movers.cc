#include "tests/fakes/spoiled_movers.h"

namespace truenas::fakes {

using json::Value;

void SpoiledMovers::set(const std::string& claim, const std::string& mode, const std::string& how) {
  const std::lock_guard<std::mutex> lock(mutex_);
  how_[{claim, mode}] = how;
}

std::string SpoiledMovers::how(const Value& pod, const std::string& mode) {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const auto& [what, how] : how_) {
    if (what.second == mode && kube::mounts(pod, what.first)) return how;
  }
  return "";
}

void SpoiledMovers::take_over(FakeCluster& cluster) {
  cluster.workloads.run_pod =
      [this, before = cluster.workloads.run_pod](const Value& pod) -> std::optional<PodEnd> {
    const auto& words = pod.items_at("/spec/containers/0/args");
    const std::string mode = words.empty() ? "" : words[0].text();
    const std::string end = how(pod, mode);
    if (end == "hold") return std::nullopt;
    if (end == "crash") return PodEnd{137, "", ""};
    if (end == "fail") {
      const Value result =
          Value::object({{"type", "result"}, {"mode", mode}, {"exit", 2}, {"text", "input/output error"}});
      return PodEnd{2, json::write(result), ""};
    }
    return before(pod);
  };
}

}  // namespace truenas::fakes
