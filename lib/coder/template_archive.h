#pragma once
// The text of a template out of the archive in which Coder keeps it. Pure. Private to lib/coder.

#include <string_view>
#include <vector>

#include "lib/coder/template.h"

namespace truenas::coder {

// The *.tf and *.tf.json files, at most 10 MiB together. Kind::format when the archive is malformed, names a
// text twice or has none at all; a path with ".." is left out, as Coder does.
Result<std::vector<SourceFile>> read_template_archive(std::string_view archive, std::string_view source);

}  // namespace truenas::coder
