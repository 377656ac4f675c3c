#pragma once
// A directory with a Coder template's text, as --template-dir names it. Reads files; understands nothing of
// them beyond their names.

#include <string>
#include <vector>

#include "lib/base/result.h"
#include "lib/coder/template.h"

namespace truenas::plugin {

// The *.tf and *.tf.json files that lie in the directory itself, by name: Terraform reads no others.
// Kind::usage when it cannot be read, has none, or has more than 4 MiB of them.
Result<std::vector<coder::SourceFile>> read_template_directory(const std::string& directory);
// Its own name: "/srv/templates/kubernetes/" is "kubernetes".
std::string template_name_of(const std::string& directory);

}  // namespace truenas::plugin
