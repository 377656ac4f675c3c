#pragma once
// The one place where a request to stop (SIGINT, SIGTERM) is remembered. Signal handlers only call
// request_interrupt; long work asks interrupted() between two effects, never in the middle of one.

namespace truenas {

// Async-signal-safe. The second request, and every later one, is remembered as insistent.
void request_interrupt(int signal_number);
// True once a stop was asked for.
bool interrupted();
// The signal that asked first, 0 if none did.
int interrupt_signal();
// Forgets the request (tests only).
void clear_interrupt();

}  // namespace truenas
