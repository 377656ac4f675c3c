#pragma once
// One function a subcommand; each is defined in the file of its name.

#include "plugin/command.h"

namespace truenas::plugin {

Command postgres_command();
Command storage_class_command();
Command verify_command();
Command version_command();
Command workspaces_command();

}  // namespace truenas::plugin
