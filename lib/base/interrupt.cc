#include "lib/base/interrupt.h"

#include <atomic>

#include "lib/base/thread_stop.h"

namespace truenas {
namespace {
std::atomic<int> g_signal{0};
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler may only touch lock-free atomics");
thread_local const std::atomic<bool>* t_stop = nullptr;
}  // namespace

void request_interrupt(int signal_number) {
  int expected = 0;
  g_signal.compare_exchange_strong(expected, signal_number);
}
bool interrupted() {
  return g_signal.load() != 0 || (t_stop != nullptr && t_stop->load());
}
int interrupt_signal() {
  return g_signal.load();
}
void clear_interrupt() {
  g_signal.store(0);
}

ThreadStop::ThreadStop(const std::atomic<bool>& flag) {
  t_stop = &flag;
}
ThreadStop::~ThreadStop() {
  t_stop = nullptr;
}

}  // namespace truenas
