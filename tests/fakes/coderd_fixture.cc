#include "tests/fakes/coderd_fixture.h"

namespace truenas::fakes {

void CoderSite::swap(const std::function<void(json::Value&)>& change) {
  const json::Value old = *claim();
  const Dataset* before = cluster.storage.dataset_of(k_home_ns, k_home);
  const auto files = before == nullptr ? std::map<std::string, std::string>() : before->files;
  retain(volume());
  cluster.erase(kube::k_claim, k_home_ns, k_home);
  json::Value fresh = json::Value::object({{"apiVersion", "v1"}, {"kind", "PersistentVolumeClaim"}});
  fresh.set_at("/metadata/name", k_home);
  fresh.set_at("/metadata/namespace", k_home_ns);
  for (const char* kept :
       {"/metadata/labels", "/metadata/annotations", "/spec/accessModes", "/spec/resources"}) {
    if (const json::Value* value = old.at(kept)) fresh.set_at(kept, *value);
  }
  fresh.set_at("/spec/storageClassName", k_new_class);
  if (change) change(fresh);
  REQUIRE(writer.create(kube::k_claim, k_home_ns, fresh).ok());
  REQUIRE(cluster.tick_until([&] { return claim()->text_at("/status/phase") == "Bound"; }, 20));
  retain(volume());
  cluster.storage.dataset_of(k_home_ns, k_home)->files = files;
}

}  // namespace truenas::fakes
