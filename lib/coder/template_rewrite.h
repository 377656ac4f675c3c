#pragma once
// A template's text made safe for its existing workspaces, everything else left byte for byte as it was.
// Pure: writes no file and pushes nothing. What it returns has been read again and its outcome computed: kept
// before and after the swap, or it is an error.

#include <string>
#include <vector>

#include "lib/coder/outcome.h"
#include "lib/coder/template.h"

namespace truenas::coder {

enum class Correction {
  remove_class,  // no storage_class_name: rows A1 to A4; for when the new class is or will be the default
  ignore_all,    // the new class, and lifecycle { ignore_changes = all }: rows F2, F2b, F1c
  carry_over,  // a type rename: removed { destroy = false } and import, for existing workspaces only (I4, I5)
};

struct Rewritten {
  std::vector<SourceFile> files;      // those that changed, whole
  std::string diff;                   // unified, a/ and b/ prefixes; "" when nothing had to change
  std::vector<std::string> warnings;  // what the new text cannot do (I5)
};

// `question` is asked of the new text: its `text` is not used. `claim_address` names the claim in `files`.
// Kind::refused where the text cannot be changed with certainty (class in a dynamic block, override files),
// Kind::not_found when there is no such claim.
Result<Rewritten> rewrite_template(const std::vector<SourceFile>& files, const std::string& claim_address,
                                   Correction correction, const Question& question, const LiveClaim& live);

// The commands that bring the text in DIR to Coder without making it active, and those that then do.
std::vector<std::string> push_commands(const std::string& template_name, const std::string& directory);

}  // namespace truenas::coder
