#include "plugin/subcommands.h"

namespace truenas::plugin {

const std::vector<Command>& commands() {
  static const std::vector<Command> table = {storage_class_command(), postgres_command(),
                                             workspaces_command(), verify_command(), version_command()};
  return table;
}

}  // namespace truenas::plugin
