#pragma once
// A template's text as read.

#include <string>
#include <vector>

#include "lib/coder/template.h"

namespace truenas::workflow {

struct TemplateText {
  std::string name;  // of its directory, or as Coder calls the template
  std::vector<coder::SourceFile> files;
  coder::Template text;
};

}  // namespace truenas::workflow
