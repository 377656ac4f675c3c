#pragma once
// Lock: one run at a time for one target, by a Lease that a thread renews. Other runs are found, watched and,
// when dead, taken over; no Lease is ever deleted. still_held() is what a Permit asks before each write. It
// must not be shared by two runs.

#include <functional>
#include <memory>
#include <string>

#include "lib/base/clock.h"
#include "lib/engine/lease.h"
#include "lib/kube/reader.h"
#include "lib/kube/writer.h"

namespace truenas::engine {

struct LockOptions {
  std::string ns, name;  // journal_name()'s; the Lease has the same
  std::string what;      // "cluster coder/coder-postgres", for messages
  std::string holder;    // this_holder()
  Seconds duration{15};
  Seconds renew_every{5};
  Clock* clock = &system_clock();
  bool renew_in_thread = true;  // false: the test calls renew()
  // Called once when somebody else holds the Lease and it has to be watched for so long.
  std::function<void(const Lease& lease, Milliseconds duration)> on_watch;
};

// user@host:pid:random of this process.
std::string this_holder();

class Lock {
 public:
  // Takes the Lease: creates it, takes a released one, or takes over one whose renewTime did not move for one
  // whole duration of our own steady time. Kind::locked with holder, host and age when it is alive; also what
  // talking to the server gives. `session` is used by the renewing thread too and must outlive the lock; give
  // it a request_timeout of about renew_every, else one silent connection holds up every later renewal.
  static Result<std::unique_ptr<Lock>> acquire(kube::Session& session, LockOptions options);
  // Stops renewing and releases, as well as it can.
  ~Lock();
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

  // Ok while nobody else can have taken the Lease. Kind::unavailable when it could not be renewed for
  // duration - renew_every (it may recover); Kind::locked when somebody else has it or it was deleted (for
  // good). Thread-safe.
  Result<void> still_held() const;
  // One renewal, as the thread does it. Thread-safe.
  Result<void> renew();
  // Gives the Lease back: holderIdentity "", by resourceVersion. Ok when it is somebody else's by now.
  Result<void> release();
  const std::string& holder() const;

  // A permit that asks this lock; the lock must outlive every Writer made with it.
  kube::Permit permit() const;

 private:
  struct State;
  explicit Lock(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace truenas::engine
