#include "lib/storage/mover_place.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "lib/base/quantity.h"
#include "lib/base/text.h"

namespace truenas::storage {
namespace {

using json::Value;

constexpr std::string_view k_last_resort = "registry.k8s.io/pause:3.10";
constexpr std::size_t k_nodes_named = 50;

// "registry.k8s.io/pause:3.10@sha256:…" -> "pause".
std::string_view last_part(std::string_view image) {
  image = image.substr(0, image.find('@'));
  const std::size_t slash = image.rfind('/');
  if (slash != std::string_view::npos) image = image.substr(slash + 1);
  return image.substr(0, image.find(':'));
}

bool is_pause(std::string_view image) {
  const std::string_view name = last_part(image);
  return name == "pause" || name.ends_with("-pause");
}

bool is_ready(const Value& node) {
  const auto& conditions = node.items_at("/status/conditions");
  return std::any_of(conditions.begin(), conditions.end(), [](const Value& condition) {
    return condition.text_at("/type") == "Ready" && condition.text_at("/status") == "True";
  });
}

bool tolerates(const Value& toleration, const Value& taint) {
  const std::string& effect = toleration.text_at("/effect");
  if (!effect.empty() && effect != taint.text_at("/effect")) return false;
  const std::string& key = toleration.text_at("/key");
  if (!key.empty() && key != taint.text_at("/key")) return false;
  return toleration.text_at("/operator") == "Exists" ||
         toleration.text_at("/value") == taint.text_at("/value");
}

bool is_over(const Value& pod) {
  const std::string& phase = pod.text_at("/status/phase");
  return phase == "Succeeded" || phase == "Failed";
}

// How many may use it: "ReadWriteOnce" when that is the most that it allows.
bool one_node_only(const Value& claim) {
  const auto& modes = claim.items_at("/spec/accessModes");
  return std::none_of(modes.begin(), modes.end(), [](const Value& mode) {
    return mode.text() == "ReadWriteMany" || mode.text() == "ReadOnlyMany";
  });
}

bool one_pod_only(const Value& claim) {
  const auto& modes = claim.items_at("/spec/accessModes");
  return std::any_of(modes.begin(), modes.end(),
                     [](const Value& mode) { return mode.text() == "ReadWriteOncePod"; });
}

}  // namespace

std::string pause_image_of(const Value& node) {
  std::string by_digest;
  for (const Value& image : node.items_at("/status/images")) {
    for (const Value& name : image.items_at("/names")) {
      if (!is_pause(name.text())) continue;
      if (!contains(name.text(), "@")) return name.text();
      by_digest = name.text();
    }
  }
  return by_digest;
}

std::string architecture_of(const Value& node) {
  return node.text_at("/status/nodeInfo/architecture");
}

bool can_carry_mover(const Value& node, const MoverWishes& wishes) {
  if (!is_ready(node) || node.boolean_at("/spec/unschedulable")) return false;
  for (const auto& [key, value] : wishes.node_selector) {
    if (kube::label_of(node, key) != value) return false;
  }
  const auto& taints = node.items_at("/spec/taints");
  return std::all_of(taints.begin(), taints.end(), [&](const Value& taint) {
    return taint.text_at("/effect") == "PreferNoSchedule" ||
           std::any_of(wishes.tolerations.begin(), wishes.tolerations.end(),
                       [&](const Value& toleration) { return tolerates(toleration, taint); });
  });
}

Result<Value> parse_toleration(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  const std::string effect(colon == std::string_view::npos ? "" : text.substr(colon + 1));
  const std::string_view rest = text.substr(0, colon);
  const std::size_t equals = rest.find('=');
  const std::string key(rest.substr(0, equals));
  const bool known =
      effect.empty() || effect == "NoSchedule" || effect == "NoExecute" || effect == "PreferNoSchedule";
  if (key.empty() || !known || (colon != std::string_view::npos && effect.empty())) {
    return make_error(Kind::usage,
                      fmt::format("--toleration wants KEY[=VALUE][:EFFECT] with effect NoSchedule, "
                                  "NoExecute or PreferNoSchedule, got {}",
                                  quote(text)));
  }
  Value toleration = Value::object({{"key", key}});
  if (equals == std::string_view::npos) {
    toleration.set("operator", "Exists");
  } else {
    toleration.set("operator", "Equal");
    toleration.set("value", rest.substr(equals + 1));
  }
  if (!effect.empty()) toleration.set("effect", effect);
  return toleration;
}

Result<Resources> parse_resources(std::string_view flag, std::string_view text) {
  Resources resources;
  for (const std::string& item : split(text, ',')) {
    const std::size_t equals = item.find('=');
    const std::string resource = item.substr(0, equals);
    const std::string quantity = equals == std::string::npos ? "" : item.substr(equals + 1);
    const bool known = resource == "cpu" || resource == "memory" || resource == "ephemeral-storage";
    if (!known || !parse_quantity(quantity).ok() || !resources.emplace(resource, quantity).second) {
      return make_error(Kind::usage, fmt::format("{} wants cpu, memory or ephemeral-storage once each, as in "
                                                 "cpu=100m,memory=64Mi, got {}",
                                                 flag, quote(text)));
    }
  }
  return resources;
}

Result<std::optional<std::string>> read_required_node(const kube::Reader& reader, const std::string& ns,
                                                      const std::vector<std::string>& claims) {
  TM_TRY_ASSIGN(const std::vector<Value> pods, reader.list(kube::k_pod, ns));
  std::optional<std::string> required;
  std::string because;
  for (const std::string& name : claims) {
    TM_TRY_ASSIGN(const Value claim, reader.get(kube::k_claim, ns, name));
    if (!one_node_only(claim)) continue;
    for (const Value& pod : pods) {
      if (is_over(pod) || !kube::mounts(pod, name)) continue;
      const std::string& pod_name = pod.text_at("/metadata/name");
      if (one_pod_only(claim)) {
        return make_error(
            Kind::refused,
            fmt::format("claim {}/{} is ReadWriteOncePod, and pod {}/{} mounts it", ns, name, ns, pod_name));
      }
      const std::string& node = pod.text_at("/spec/nodeName");
      if (node.empty()) continue;
      if (required && *required != node) {
        return make_error(
            Kind::refused,
            fmt::format("no node can mount both: claim {}/{} is in use on node {} (pod {}), {} on node {}",
                        ns, name, node, pod_name, because, *required));
      }
      required = node;
      because = fmt::format("claim {}/{}", ns, name);
    }
  }
  return required;
}

Result<MoverPlace> choose_place(const std::vector<Value>& nodes, const std::optional<std::string>& required,
                                const MoverWishes& wishes, const std::string& fallback_image) {
  MoverPlace place;
  std::vector<std::string> others, with_pause;
  for (const Value& node : nodes) {
    const std::string& name = node.text_at("/metadata/name");
    const std::string architecture = architecture_of(node);
    // A node that the data is mounted on is the only choice, be it cordoned or not ready at the moment.
    if (required ? name != *required : !can_carry_mover(node, wishes)) continue;
    if (architecture != "amd64" && architecture != "arm64") {
      others.push_back(
          fmt::format("{} ({})", name, architecture.empty() ? "unknown architecture" : architecture));
      continue;
    }
    const std::string pause = pause_image_of(node);
    const bool better = !pause.empty() && with_pause.empty();
    if (place.architecture.empty() || better) {
      place.architecture = architecture;
      place.image = pause;
    }
    if (!pause.empty() && architecture == place.architecture) {
      if (pause == place.image && with_pause.size() < k_nodes_named) with_pause.push_back(name);
    }
  }
  if (place.architecture.empty()) {
    if (!others.empty()) {
      return make_error(Kind::refused,
                        fmt::format("there is no volume-mover for {}; it is built for amd64 and arm64",
                                    join(others, ", ")));
    }
    return make_error(Kind::refused,
                      required ? fmt::format("node {}, which mounts the volume, is not there", *required)
                               : "no node is ready, schedulable and as wished for to carry a mover",
                      {"kubectl get nodes", "--toleration and --node-selector choose others"});
  }
  if (required) {
    place.nodes = {*required};
  } else if (wishes.image.empty()) {
    place.nodes = with_pause;
  }
  if (!wishes.image.empty()) {
    place.image = wishes.image;
  } else if (place.image.empty()) {
    place.image = fallback_image.empty() ? std::string(k_last_resort) : fallback_image;
  }
  return place;
}

}  // namespace truenas::storage
