// Labels and annotations: never a danger, but what the next build puts back or strips (rows J, K, N).

#include <fmt/format.h>

#include "lib/base/text.h"
#include "lib/coder/outcome_internal.h"

namespace truenas::coder {
namespace {

struct Marks {
  std::string_view kind;  // "label"
  std::string_view missing_row, extra_row;
};

void compare(const MapSetting& wanted, const std::map<std::string, std::string>& live, const Marks& marks,
             std::vector<Change>& changes) {
  if (!wanted.decided) return;  // in place at most
  for (const auto& [key, value] : wanted.entries) {
    const auto found = live.find(key);
    if (found == live.end()) {
      changes.push_back({Change::Effect::updates, std::string(marks.missing_row),
                         fmt::format("{} {} is added", marks.kind, printable(key)), Fate::kept});
    } else if (value && *value != found->second) {
      changes.push_back({Change::Effect::updates, std::string(marks.missing_row),
                         fmt::format("{} {} becomes {}", marks.kind, printable(key), quote(*value)),
                         Fate::kept});
    }
  }
  for (const auto& [key, value] : live) {
    if (wanted.entries.contains(key) || is_internal_key(key)) continue;
    changes.push_back({Change::Effect::updates,
                       key.substr(0, key.find('/')).ends_with("k8s.io") ? "N3" : std::string(marks.extra_row),
                       fmt::format("{} {} is removed", marks.kind, printable(key)), Fate::kept});
  }
}

}  // namespace

bool is_internal_key(std::string_view key) {
  const std::string_view host = key.substr(0, key.find('/'));
  return host.ends_with("kubernetes.io") && host != "app.kubernetes.io" &&
         host != "service.beta.kubernetes.io";
}

void add_label_changes(const TemplateClaim& claim, const LiveClaim& live, std::vector<Change>& changes) {
  if (!claim.ignored.covers("metadata.0.annotations"))
    compare(claim.annotations, live.annotations, {"annotation", "K2", "J1"}, changes);
  if (!claim.ignored.covers("metadata.0.labels"))
    compare(claim.labels, live.labels, {"label", "K1", "N2"}, changes);
}

}  // namespace truenas::coder
