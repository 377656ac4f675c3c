// Freezes that outlived their runs.

#include <fmt/format.h>

#include "lib/base/text.h"
#include "lib/engine/journal.h"
#include "lib/workflow/build_freeze.h"

namespace truenas::workflow {
namespace {

using json::Value;

// Beyond any run's Lease duration, and any honest machine's wrong clock.
constexpr std::chrono::minutes k_long_past{10};

Result<bool> seems_alive(const kube::Reader& reader, const std::string& full_name, Clock& clock) {
  const std::size_t slash = full_name.find('/');
  TM_TRY_ASSIGN(const auto object,
                reader.find(kube::k_lease, full_name.substr(0, slash),
                            engine::journal_name("workspace", full_name.substr(slash + 1))));
  if (!object) return false;
  TM_TRY_ASSIGN(const engine::Lease lease, engine::parse_lease(*object));
  if (lease.holder.empty()) return false;
  const auto renewed = parse_time(lease.renew_time);
  return renewed.ok() && clock.wall() - *renewed < k_long_past;
}

Result<std::string> why_left(const kube::Reader& reader, const Value& role, Clock& clock) {
  const auto owners = freeze_owners(role);
  if (!owners) return std::string("its rights to claims are taken; for whose sake cannot be read");
  if (owners->empty()) return std::string("its rights to claims are taken for nobody's sake");
  std::vector<std::string> left;
  for (const std::string& owner : *owners) {
    TM_TRY_ASSIGN(const bool alive, seems_alive(reader, owner, clock));
    if (!alive) left.push_back(owner);
  }
  if (left.empty()) return std::string();
  return fmt::format("its rights to claims are taken for {}, whose run has ended", join(left, ", "));
}

}  // namespace

Result<std::vector<LeftFreeze>> find_left_freezes(const kube::Reader& reader, const std::string& ns,
                                                  Clock& clock) {
  kube::ListOptions list;
  list.label_selector = fmt::format("{}={}", k_frozen_label, k_frozen_label_value);
  TM_TRY_ASSIGN(const std::vector<Value> objects, reader.list(kube::k_role, ns, list));
  std::vector<LeftFreeze> all;
  for (const Value& object : objects) {
    TM_TRY_ASSIGN(std::string why, why_left(reader, object, clock));
    if (why.empty()) continue;
    const kube::Identity identity = kube::identity_of(object);
    ClaimRole role;
    role.ns = identity.ns, role.name = identity.name, role.document = object, role.frozen = true;
    all.push_back({identity.ns, identity.name, std::move(why), thaw_command(role)});
  }
  return all;
}

}  // namespace truenas::workflow
