#pragma once
// One reconciliation of one Cluster. Private to the files of CnpgModel.

#include "tests/fakes/cnpg_model.h"
#include "tests/fakes/objects.h"

namespace truenas::fakes {

inline constexpr std::string_view k_healthy = "Cluster in healthy state";
inline constexpr std::string_view k_creating_replica = "Creating a new replica";
inline constexpr std::string_view k_waiting = "Waiting for the instances to become active";
inline constexpr std::string_view k_switchover = "Switchover in progress";
inline constexpr std::string_view k_failing_over = "Failing over";
inline constexpr std::string_view k_setting_up = "Setting up primary";

struct CnpgModel::Work {
  Key key;
  json::Value cluster;  // as it was when the reconciliation began; status is kept current here
  Memory& memory;
  std::vector<Instance> instances;
  std::string phase, phase_reason;

  const std::string& name() const { return key.name; }
  const std::string& current() const { return cluster.text_at("/status/currentPrimary"); }
  const std::string& target() const { return cluster.text_at("/status/targetPrimary"); }
  const Instance* find(const std::string& instance) const {
    for (const Instance& one : instances) {
      if (one.name == instance) return &one;
    }
    return nullptr;
  }
};

}  // namespace truenas::fakes
