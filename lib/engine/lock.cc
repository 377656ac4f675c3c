#include "lib/engine/lock.h"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <random>

#include "lib/base/quantity.h"
#include "lib/engine/lock_internal.h"

namespace truenas::engine {
namespace {

kube::Permit unconditional() {
  kube::Permit permit;
  permit.still_granted = [] { return Result<void>(); };
  return permit;
}

}  // namespace

std::string this_holder() {
  const passwd* user = getpwuid(getuid());
  char host[256] = "unknown";
  if (gethostname(host, sizeof host - 1) != 0) host[0] = '\0';
  std::random_device random;
  const unsigned number = random();
  return make_holder(user != nullptr ? user->pw_name : std::to_string(getuid()), host, getpid(),
                     fmt::format("{:08x}", number));
}

Lock::State::State(kube::Session& session, LockOptions given)
    : options(std::move(given)), reader(session), writer(session, unconditional()) {}

Result<void> Lock::State::lose(Error error) {
  const std::lock_guard guard(mutex);
  if (!lost) lost = error;
  return error;
}

// Patches our Lease by its resourceVersion. When somebody edited it meanwhile and left it ours, once more.
Result<void> Lock::State::patch_ours(const std::function<json::Value(const Lease&)>& make) {
  Lease ours;
  {
    const std::lock_guard guard(mutex);
    if (lost) return *lost;
    ours = lease;
  }
  Result<json::Value> reply = make_error(Kind::bug, "never tried");
  for (int attempt = 0; attempt < 3; ++attempt) {
    const Milliseconds steady = options.clock->steady();
    const auto wall = options.clock->wall();
    reply = writer.patch(kube::k_lease, options.ns, options.name, kube::PatchKind::merge, make(ours));
    if (reply.ok()) {
      hold(*reply, steady, wall);
      return {};
    }
    const Kind kind = reply.error().kind;
    if (kind != Kind::conflict && kind != Kind::not_found && kind != Kind::outcome_unknown) break;
    TM_TRY_ASSIGN(const std::optional<Lease> found, find());
    if (!found || found->uid != ours.uid) {
      return lose(make_error(
          Kind::locked, fmt::format("the lock was lost: lease {}/{} was deleted", options.ns, options.name)));
    }
    if (found->holder != options.holder) {
      Error error = locked_error(options.what, *found, options.clock->wall());
      return lose(error.in("the lock was lost"));
    }
    ours = *found;
  }
  return reply.error();
}

Result<void> Lock::State::renew() {
  const std::lock_guard talk(talking);
  {
    const std::lock_guard guard(mutex);
    if (released) return {};
  }
  Result<void> renewed =
      patch_ours([&](const Lease& ours) { return renew_patch(ours, options.clock->wall()); });
  if (!renewed.ok()) {
    const std::lock_guard guard(mutex);
    last_trouble = renewed.error().what;
  }
  return renewed;
}

Result<void> Lock::State::release() {
  const std::lock_guard talk(talking);
  {
    const std::lock_guard guard(mutex);
    if (released || lost) return {};
    released = true;
  }
  const Result<void> given =
      patch_ours([&](const Lease& ours) { return release_patch(ours, options.clock->wall()); });
  if (!given.ok() && given.error().kind != Kind::locked) return given.error().in("giving the lock back");
  return {};
}

// One renew_every before the Lease may be taken over no write may begin any more, so that one that has begun
// is over by then. Both clocks: the steady one stands still while a laptop sleeps.
Result<void> Lock::State::still_held() const {
  const std::lock_guard guard(mutex);
  if (lost) return *lost;
  if (released) return make_error(Kind::locked, "the lock was given back");
  const Milliseconds steady = options.clock->steady() - renewed_steady;
  const auto wall = std::chrono::duration_cast<Milliseconds>(options.clock->wall() - renewed_wall);
  const Milliseconds age = std::max(steady, wall);
  if (age < Milliseconds(options.duration - options.renew_every)) return {};
  std::string what = fmt::format("the lock could not be renewed for {}", format_elapsed(age));
  if (!last_trouble.empty()) what += ": " + last_trouble;
  return make_error(Kind::unavailable, std::move(what));
}

void Lock::State::renew_until_stopped() {
  Milliseconds pause(options.renew_every);
  while (true) {
    {
      std::unique_lock guard(stop_mutex);
      if (stop_signal.wait_for(guard, pause, [this] { return stop; })) return;
    }
    const Result<void> renewed = renew();
    if (!renewed.ok() && renewed.error().kind == Kind::locked) return;
    pause = renewed.ok() ? Milliseconds(options.renew_every) : Milliseconds(1000);
  }
}

void Lock::State::stop_thread() {
  {
    const std::lock_guard guard(stop_mutex);
    stop = true;
  }
  stop_signal.notify_all();
  if (thread.joinable()) thread.join();
}

Lock::Lock(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<Lock>> Lock::acquire(kube::Session& session, LockOptions options) {
  auto state = std::make_unique<State>(session, std::move(options));
  TM_TRY(state->acquire());
  if (state->options.renew_in_thread) {
    state->thread = std::thread([raw = state.get()] { raw->renew_until_stopped(); });
  }
  return std::unique_ptr<Lock>(new Lock(std::move(state)));
}

Lock::~Lock() {
  state_->stop_thread();
  // Nothing can be told from here; a Lease that stays is taken over after its duration.
  (void)state_->release().ok();
}

Result<void> Lock::still_held() const {
  return state_->still_held();
}
Result<void> Lock::renew() {
  return state_->renew();
}
Result<void> Lock::release() {
  state_->stop_thread();
  return state_->release();
}
const std::string& Lock::holder() const {
  return state_->options.holder;
}

kube::Permit Lock::permit() const {
  kube::Permit permit;
  permit.still_granted = [state = state_.get()] { return state->still_held(); };
  return permit;
}

}  // namespace truenas::engine
