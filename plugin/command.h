#pragma once
// The table of subcommands. Adding one is a line here and a file of its own: flags -> options -> lib; no
// decisions.

#include <string>
#include <vector>

#include "plugin/arguments.h"

namespace truenas::plugin {

struct Command {
  std::string name;                   // "postgres"
  std::string usage;                  // "postgres [CLUSTER]"
  std::string summary;                // one line for the list of commands
  std::string description;            // for --help
  std::vector<std::string> examples;  // whole command lines
  std::vector<FlagGroup> (*flags)();
  Result<int> (*run)(const Arguments& arguments);  // the exit code; an error is printed by run_plugin
};

const std::vector<Command>& commands();

// The whole program: finds the command, parses, runs. `words` without argv[0].
int run_plugin(std::vector<std::string> words);

}  // namespace truenas::plugin
