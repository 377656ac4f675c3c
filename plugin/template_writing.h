#pragma once
// --write-template: corrections of templates as files with a diff each, and what to do with them. It writes
// into the directory that the user names and touches nothing else.

#include <string>
#include <vector>

#include "lib/workflow/workspace_review/correction.h"

namespace truenas::plugin {

// Where a template's text came from, by its place in WorkspaceOptions::templates.
using TemplateDirectories = std::vector<std::string>;

// Makes the directory where it does not exist. Kind::refused when a text would not keep a home (nothing is
// written then); Kind::usage when a file exists already or cannot be written. Says on stderr what was written
// and the commands that bring it to Coder.
Result<void> write_corrections(const std::string& directory,
                               const std::vector<workflow::TemplateCorrection>& corrections,
                               const workflow::WorkspaceOptions& options, const TemplateDirectories& sources);

}  // namespace truenas::plugin
