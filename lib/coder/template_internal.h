#pragma once
// How template.cc reads the parts of a template. Private to lib/coder.

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "lib/coder/hcl_expression.h"
#include "lib/coder/template.h"

namespace truenas::coder {

struct TemplateFile {
  TokenList list;
  Block body;
  bool overrides = false;  // override.tf and *_override.tf are laid over the others
};

// The name of a file in the template's root that Terraform reads; "" for any other path.
std::string root_file_name(std::string_view path);
bool is_override_file(std::string_view name);
// All *.tf files, in the order given. They point into `files`, and at each other: a deque keeps its places.
Result<std::deque<TemplateFile>> read_files(const std::vector<SourceFile>& files);
Locals locals_of(const std::deque<TemplateFile>& files);
// A resource of a claim type.
TemplateClaim read_claim_block(const TokenList& list, const Block& block, const Locals& locals);
// The lines of *.tf.json that cannot be looked into.
Result<std::vector<Unknown>> unknowns_of_json(const SourceFile& file);
// An address without its index: "a.b[0]" is "a.b".
std::string without_index(std::string_view address);

}  // namespace truenas::coder
