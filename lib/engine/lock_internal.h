#pragma once
// What acquiring, renewing and releasing a lock share: private to lib/engine.

#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include "lib/engine/lock.h"

namespace truenas::engine {

struct Lock::State {
  State(kube::Session& session, LockOptions given);

  // lock_acquire.cc. Either takes the Lease (ok) or says why not.
  Result<void> acquire();
  // lock.cc
  Result<void> renew();
  Result<void> release();
  Result<void> still_held() const;
  void renew_until_stopped();
  void stop_thread();

  LockOptions options;
  kube::Reader reader;
  kube::Writer writer;  // its permit asks nothing: the lock cannot wait for itself

  mutable std::mutex mutex;  // guards what follows
  Lease lease;               // as last written by us
  Milliseconds renewed_steady{0};
  std::chrono::microseconds renewed_wall{0};
  std::optional<Error> lost;  // for good
  std::string last_trouble;
  bool released = false;

  std::mutex talking;  // one renewal or release at a time
  std::mutex stop_mutex;
  std::condition_variable stop_signal;
  bool stop = false;
  std::thread thread;

 private:
  // One try: true when the Lease is ours, false when it must be looked at again.
  Result<bool> create();
  Result<bool> take(const Lease& found);
  Result<bool> watch(const Lease& found);
  Result<std::optional<Lease>> find() const;
  void hold(const json::Value& reply, Milliseconds steady, std::chrono::microseconds wall);
  Result<void> patch_ours(const std::function<json::Value(const Lease&)>& make);
  Result<void> lose(Error error);
};

}  // namespace truenas::engine
