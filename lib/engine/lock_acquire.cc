#include <fmt/format.h>

#include "lib/engine/lock_internal.h"

namespace truenas::engine {
namespace {

constexpr Milliseconds k_poll{1000};
constexpr int k_tries = 20;  // races with other runs, each lost one is told as conflict

bool must_look_again(Kind kind) {
  return kind == Kind::conflict || kind == Kind::outcome_unknown || kind == Kind::not_found;
}

}  // namespace

Result<std::optional<Lease>> Lock::State::find() const {
  TM_TRY_ASSIGN(const auto object, reader.find(kube::k_lease, options.ns, options.name));
  if (!object) return std::optional<Lease>();
  TM_TRY_ASSIGN(Lease found, parse_lease(*object));
  return std::optional<Lease>(std::move(found));
}

// `steady` and `wall` were taken before the write was sent: the Lease lives from no later than that.
void Lock::State::hold(const json::Value& reply, Milliseconds steady, std::chrono::microseconds wall) {
  const std::lock_guard guard(mutex);
  if (Result<Lease> written = parse_lease(reply); written.ok()) lease = std::move(written).value();
  renewed_steady = steady;
  renewed_wall = wall;
  last_trouble.clear();
}

Result<bool> Lock::State::create() {
  const Milliseconds steady = options.clock->steady();
  const auto wall = options.clock->wall();
  const Result<json::Value> made = writer.create(
      kube::k_lease, options.ns, new_lease(options.ns, options.name, options.holder, options.duration, wall));
  if (made.ok()) {
    hold(*made, steady, wall);
    return true;
  }
  // A 404 here is the namespace's.
  if (made.error().kind == Kind::conflict || made.error().kind == Kind::outcome_unknown) return false;
  return made.error();
}

Result<bool> Lock::State::take(const Lease& found) {
  const Milliseconds steady = options.clock->steady();
  const auto wall = options.clock->wall();
  const Result<json::Value> taken =
      writer.patch(kube::k_lease, options.ns, options.name, kube::PatchKind::merge,
                   take_patch(found, options.holder, options.duration, wall));
  if (taken.ok()) {
    hold(*taken, steady, wall);
    return true;
  }
  if (must_look_again(taken.error().kind)) return false;
  return taken.error();
}

Result<bool> Lock::State::watch(const Lease& found) {
  const LeaseWatch watch(found, options.clock->steady(), options.duration);
  if (options.on_watch) options.on_watch(found, watch.duration());
  while (true) {
    TM_TRY(options.clock->sleep(k_poll));
    TM_TRY_ASSIGN(const std::optional<Lease> now, find());
    if (!now) return false;
    switch (watch.look(*now, options.clock->steady())) {
      case LeaseWatch::Verdict::watch_on:
        continue;
      case LeaseWatch::Verdict::held:
        return locked_error(options.what, *now, options.clock->wall());
      case LeaseWatch::Verdict::take_over:
      case LeaseWatch::Verdict::free:
        return take(*now);
    }
  }
}

Result<void> Lock::State::acquire() {
  for (int i = 0; i < k_tries; ++i) {
    TM_TRY_ASSIGN(const std::optional<Lease> found, find());
    Result<bool> ours = false;
    if (!found) {
      ours = create();
    } else if (found->holder.empty() || found->holder == options.holder) {
      ours = take(*found);  // nobody's, or our own write whose reply was lost
    } else {
      ours = watch(*found);
    }
    if (!ours.ok()) return std::move(ours).take_error().in("taking the lock");
    if (*ours) return {};
  }
  return make_error(Kind::unavailable,
                    fmt::format("taking the lock: lease {}/{} was changed by others {} times in a row",
                                options.ns, options.name, k_tries));
}

}  // namespace truenas::engine
