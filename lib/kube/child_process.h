#pragma once
// Running one other program and reading what it prints: without a shell, with a bound on its output, and so
// that Ctrl-C ends it. It must not know what the program is for.

#include <optional>
#include <string>
#include <vector>

#include "lib/base/result.h"

namespace truenas::kube {

struct ChildProgram {
  std::string path;                      // executed as it is, see find_executable
  std::vector<std::string> arguments;    // from argv[0] on
  std::vector<std::string> environment;  // "NAME=value", the whole of it
  bool inherit_stdin = false;            // else /dev/null
  std::size_t output_limit = std::size_t{1} << 20;
};

struct ChildOutcome {
  int exit_code = 0;
  int signal = 0;      // that ended it, 0 if it exited
  std::string output;  // its stdout; stderr is ours
};

// Starts the program and waits for its end. Errors: not_found, config (it cannot be started), format (it
// wrote more than the limit), interrupted (interrupt.h; the program was ended first).
Result<ChildOutcome> run_child(const ChildProgram& program);

// A bare name is looked for in `path_variable` (PATH's value), where relative directories do not count; a
// path is taken as it is. nullopt unless it is a file that may be executed.
std::optional<std::string> find_executable(const std::string& command, const std::string& path_variable);

}  // namespace truenas::kube
