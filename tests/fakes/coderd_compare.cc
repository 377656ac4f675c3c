#include "tests/fakes/coderd_compare.h"

#include <fmt/format.h>

#include "lib/base/quantity.h"
#include "lib/base/text.h"

namespace truenas::fakes {
namespace {

using json::Value;

// Keys whose host ends in kubernetes.io are the cluster's own, but for app.kubernetes.io.
bool is_internal(std::string_view key) {
  const std::size_t slash = key.find('/');
  if (slash == std::string_view::npos) return false;
  const std::string_view host = key.substr(0, slash);
  return host.ends_with("kubernetes.io") && host != "app.kubernetes.io";
}

std::map<std::string, std::string> seen(const Value& claim, std::string_view pointer,
                                        const std::map<std::string, std::string>& wanted) {
  std::map<std::string, std::string> result;
  for (const auto& [key, value] : claim.members_at(pointer)) {
    if (!is_internal(key) || wanted.contains(key)) result[key] = value.text();
  }
  return result;
}

Value operation(std::string_view op, const std::string& path, const Value& value) {
  Value result = Value::object({{"op", op}, {"path", path}});
  if (op != "remove") result.set("value", value);
  return result;
}

// The provider replaces the whole map where it believes that there was none.
void diff_map(const Value& claim, const std::string& pointer,
              const std::map<std::string, std::string>& wanted, Value& patch) {
  const auto live = seen(claim, pointer, wanted);
  if (live == wanted) return;
  if (live.empty()) {
    Value whole = Value::object();
    for (const auto& [key, value] : wanted) whole.set(key, value);
    patch.push_back(operation("add", pointer, whole));
    return;
  }
  for (const auto& [key, value] : live) {
    if (!wanted.contains(key))
      patch.push_back(operation("remove", pointer + "/" + json::pointer_token(key), {}));
  }
  for (const auto& [key, value] : wanted) {
    if (const auto found = live.find(key); found != live.end() && found->second == value) continue;
    patch.push_back(operation("add", pointer + "/" + json::pointer_token(key), value));
  }
}

void compare_text(const std::optional<std::string>& wanted, const std::string& live, std::string_view path,
                  std::string_view shown, const WantedClaim& claim, ClaimDifference& difference) {
  if (!wanted || *wanted == live || claim.ignores(path)) return;
  difference.forced.push_back(
      fmt::format("~ {}: {} -> {} (forces replacement)", shown, quote(live), quote(*wanted)));
}

void compare_request(const WantedClaim& wanted, const Value& live, ClaimDifference& difference) {
  if (wanted.ignores("spec[0].resources[0].requests")) return;
  const std::string& has = live.text_at("/spec/resources/requests/storage");
  const auto before = parse_quantity(has), after = parse_quantity(wanted.request);
  if (before.ok() && after.ok() && *before == *after) return;
  if (!before.ok() || !after.ok() || *after < *before) {
    difference.forced.push_back(fmt::format("~ spec.0.resources.0.requests: {} -> {} (forces replacement)",
                                            quote(has), quote(wanted.request)));
    return;
  }
  difference.patch.push_back(operation("replace", "/spec/resources/requests/storage", wanted.request));
}

}  // namespace

ClaimDifference compare_claim(const WantedClaim& wanted, const Value& live) {
  ClaimDifference difference;
  if (wanted.ignores("everything")) return difference;
  compare_text(wanted.storage_class, live.text_at("/spec/storageClassName"), "spec[0].storage_class_name",
               "spec.0.storage_class_name", wanted, difference);
  compare_text(wanted.volume_name, live.text_at("/spec/volumeName"), "spec[0].volume_name",
               "spec.0.volume_name", wanted, difference);
  compare_text(wanted.volume_mode, live.text_at("/spec/volumeMode"), "spec[0].volume_mode",
               "spec.0.volume_mode", wanted, difference);
  std::set<std::string> modes;
  for (const Value& mode : live.items_at("/spec/accessModes")) modes.insert(mode.text());
  if (modes != wanted.access_modes && !wanted.ignores("spec[0].access_modes")) {
    difference.forced.push_back("~ spec.0.access_modes (forces replacement)");
  }
  if (live.at("/spec/selector") != nullptr && !wanted.ignores("spec[0].selector")) {
    difference.forced.push_back("- spec.0.selector (forces replacement)");
  }
  if (live.at("/spec/resources/limits") != nullptr && !wanted.ignores("spec[0].resources[0].limits")) {
    difference.forced.push_back("- spec.0.resources.0.limits (forces replacement)");
  }
  compare_request(wanted, live, difference);
  if (!wanted.ignores("metadata[0].labels"))
    diff_map(live, "/metadata/labels", wanted.labels, difference.patch);
  if (!wanted.ignores("metadata[0].annotations")) {
    diff_map(live, "/metadata/annotations", wanted.annotations, difference.patch);
  }
  return difference;
}

}  // namespace truenas::fakes
