// The program: signals, argv, exit code. Everything else is a subcommand's.

#include <csignal>
#include <cstdlib>
#include <string>
#include <vector>

#include "lib/base/interrupt.h"
#include "plugin/command.h"

namespace {

void on_signal(int number) {
  // The first asks for a clean end after the write in flight; an insistent user is let go at once.
  if (truenas::interrupted()) std::_Exit(128 + number);
  truenas::request_interrupt(number);
}

}  // namespace

int main(int argc, char** argv) {
  struct sigaction action {};
  action.sa_handler = on_signal;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  action.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &action, nullptr);
  std::exit(truenas::plugin::run_plugin(std::vector<std::string>(argv + 1, argv + argc)));
}
