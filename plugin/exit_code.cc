#include "plugin/exit_code.h"

#include "lib/base/interrupt.h"

namespace truenas::plugin {

int exit_code_of(Kind kind) {
  switch (kind) {
    case Kind::usage:
      return k_exit_usage;
    case Kind::config:
    case Kind::auth:
    case Kind::unavailable:
      return k_exit_unreachable;
    case Kind::refused:
      return k_exit_refused;
    case Kind::mismatch:
      return k_exit_mismatch;
    case Kind::outcome_unknown:
    case Kind::stopped:
      return k_exit_stopped;
    case Kind::locked:
      return k_exit_locked;
    case Kind::interrupted:
      return 128 + (interrupt_signal() == 0 ? 2 : interrupt_signal());
    case Kind::bug:
      return k_exit_bug;
    case Kind::not_found:
    case Kind::conflict:
    case Kind::format:
      return k_exit_failed;
  }
  return k_exit_bug;
}

std::string render_error(const Error& error) {
  std::string text = "error: " + error.what + "\n";
  for (const std::string& hint : error.hints) text += "hint: " + hint + "\n";
  return text;
}

}  // namespace truenas::plugin
