#pragma once
// Where a mover can run and with which image: the node that mounts a ReadWriteOnce claim already, the nodes
// that have a pause image, the architecture of either. read_* look, the rest is pure; nothing is created
// here.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/json/value.h"
#include "lib/kube/reader.h"

namespace truenas::storage {

// Quantities by resource: {{"cpu", "100m"}, {"memory", "64Mi"}}.
using Resources = std::map<std::string, std::string>;

// What the user wants otherwise; "" and empty: nothing.
struct MoverWishes {
  std::string image;              // --mover-image
  std::string image_pull_secret;  // --image-pull-secret
  std::map<std::string, std::string> node_selector;
  json::Value::Array tolerations;
  Resources requests, limits;  // resource by resource instead of the mover's own
};

struct MoverPlace {
  std::vector<std::string> nodes;  // only there; empty: anywhere that has the architecture
  std::string architecture;        // "amd64", "arm64"
  std::string image;
};

// The name of a pause image that the node has already ("registry.k8s.io/pause:3.10", any registry's, a tag
// rather than a digest); "" for none. A kubelet tells at most 50 images, the largest, so none proves nothing.
std::string pause_image_of(const json::Value& node);
// "amd64"; "" when the node does not say.
std::string architecture_of(const json::Value& node);
// Ready, schedulable or tolerated, and carrying the labels that are wished for.
bool can_carry_mover(const json::Value& node, const MoverWishes& wishes);
// "key=value:Effect", "key:Effect", "key", as kubectl taint writes them. Kind::usage.
Result<json::Value> parse_toleration(std::string_view text);
// "cpu=100m,memory=64Mi", as kubectl set resources takes them; of cpu, memory and ephemeral-storage.
// Kind::usage naming `flag`.
Result<Resources> parse_resources(std::string_view flag, std::string_view text);

// Which node must be used: a Pod that is not over mounts a claim that only one node may use. Kind::refused:
// two claims on two nodes; a ReadWriteOncePod claim that somebody mounts. nullopt: any.
Result<std::optional<std::string>> read_required_node(const kube::Reader& reader, const std::string& ns,
                                                      const std::vector<std::string>& claims);
// `fallback_image`: the workload's own, for nodes without a pause image; "": registry.k8s.io/pause.
// Kind::refused when no node can carry a mover, or none of an architecture that there is a program for.
Result<MoverPlace> choose_place(const std::vector<json::Value>& nodes,
                                const std::optional<std::string>& required, const MoverWishes& wishes,
                                const std::string& fallback_image);

}  // namespace truenas::storage
