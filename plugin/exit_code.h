#pragma once
// What each kind of failure is to the shell (docs/exit-codes in README), and how an error is printed.

#include <string>

#include "lib/base/result.h"

namespace truenas::plugin {

enum ExitCode {
  k_exit_done = 0,
  k_exit_failed = 1,
  k_exit_usage = 2,
  k_exit_mismatch = 3,
  k_exit_refused = 4,
  k_exit_stopped = 5,
  k_exit_unreachable = 10,
  k_exit_locked = 11,
  k_exit_bug = 70,
};

// Kind::interrupted gives 128 + the signal that came (130, 143), 130 where none did.
int exit_code_of(Kind kind);
// "error: what\n" and a line "hint: …" each; ends with a newline.
std::string render_error(const Error& error);

}  // namespace truenas::plugin
