#pragma once
// The neighbours that own volumes: binder, provisioners of both drivers, reclaimer, and the protection of
// claims and volumes in use. Each tick() moves each of them one step. Volumes have the shape that the real
// drivers give them.

#include <set>
#include <string>

#include "tests/fakes/nas.h"
#include "tests/fakes/store.h"

namespace truenas::fakes {

class StorageModel {
 public:
  StorageModel(Store& store, Nas& nas) : store_(store), nas_(nas) {}
  void tick();

  // Drivers whose provisioner does not run: their claims stay Pending, their volumes are not reclaimed.
  std::set<std::string> drivers_down;
  // The dataset behind a claim, null if it is not bound.
  Dataset* dataset_of(std::string_view ns, std::string_view claim);

 private:
  void bind(const Key& claim);
  void bind_to(const Key& claim, const Key& volume, bool by_controller);
  void provision(const Key& claim, const json::Value& storage_class);
  json::Value new_volume(const json::Value& claim, const json::Value& storage_class);
  void settle_volume(const Key& volume);
  void reclaim(const Key& volume);
  void protect(const Key& claim);
  void set_phase(const Key& volume, std::string_view phase);

  Store& store_;
  Nas& nas_;
};

}  // namespace truenas::fakes
