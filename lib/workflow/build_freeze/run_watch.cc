// Whether the run for another home is alive.

#include <fmt/format.h>

#include "lib/engine/journal.h"
#include "lib/workflow/build_freeze.h"

namespace truenas::workflow {
namespace {

// As a run's own lock: no Lease is taken for dead before so long.
constexpr Seconds k_at_least{15};

}  // namespace

Result<bool> RunWatch::is_alive(const kube::Reader& reader, const std::string& ns, const std::string& claim) {
  const std::string key = ns + "/" + claim;
  TM_TRY_ASSIGN(const auto object, reader.find(kube::k_lease, ns, engine::journal_name("workspace", claim)));
  if (!object) {
    watches_.erase(key);
    return false;
  }
  TM_TRY_ASSIGN(engine::Lease lease, engine::parse_lease(*object));
  const Milliseconds now = clock_->steady();
  const auto known = watches_.find(key);
  using Verdict = engine::LeaseWatch::Verdict;
  const Verdict verdict = lease.holder.empty()      ? Verdict::free
                          : known == watches_.end() ? Verdict::held
                                                    : known->second.look(lease, now);
  if (verdict == Verdict::free) {
    watches_.erase(key);
  } else if (verdict == Verdict::held) {
    watches_.insert_or_assign(key, engine::LeaseWatch(std::move(lease), now, k_at_least));
  }
  return verdict == Verdict::held || verdict == Verdict::watch_on;
}

}  // namespace truenas::workflow
