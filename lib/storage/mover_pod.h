#pragma once
// The objects that run volume-mover in a cluster: one ConfigMap an architecture with the program itself, and
// a Pod that any image can carry. Pure; who creates them, and when, is lib/workflow's (mover_run.h).

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "lib/json/value.h"
#include "lib/storage/mover_place.h"

namespace truenas::storage {

inline constexpr std::string_view k_mover_config_label = "truenas-migrate/mover-config";
inline constexpr std::string_view k_mover_run_label = "truenas-migrate/run";

// "truenas-migrate-mover-amd64-0f3a…": 12 hex digits of the program's SHA-256, so that another version is
// another object and runs may share one.
std::string mover_config_name(std::string_view architecture, std::string_view program);
// Immutable, binaryData, labelled managed-by and component. To be created, never applied: an apply would copy
// the program into an annotation.
json::Value mover_config_map(std::string_view ns, std::string_view architecture, std::string_view program);

struct MoverMount {
  std::string claim, path;  // "/source"
  bool read_only = false;
};

struct MoverPod {
  std::string ns, name;
  std::string run;           // label value: which run it is of
  std::string config;        // mover_config_name()'s
  std::string architecture;  // "amd64": the only nodes that the program runs on
  std::string image;
  std::string image_pull_secret;       // "" for none
  std::vector<std::string> arguments;  // of volume-mover: the mode first
  std::vector<MoverMount> mounts;
  std::vector<std::string> nodes;  // only there; empty: anywhere
  std::map<std::string, std::string> node_selector;
  json::Value::Array tolerations;
  Resources requests{{"cpu", "100m"}, {"memory", "64Mi"}}, limits{{"memory", "256Mi"}};
  std::int64_t deadline_seconds = 0;  // activeDeadlineSeconds; 0: none
};

// Root without any right but to act as the files' owners, no service account token, no fsGroup, seccomp
// RuntimeDefault, restartPolicy Never, its own labels, and safe-to-evict "false".
json::Value mover_pod(const MoverPod& pod);

}  // namespace truenas::storage
