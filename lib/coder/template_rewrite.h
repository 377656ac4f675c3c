#pragma once
// A template's text made safe for its existing workspaces, everything else left byte for byte as it was.
// Pure: writes no file and pushes nothing. What it returns has been read again and its outcome computed
// before and after the swap: a text that would still destroy the claim is an error, not a result.

#include <string>
#include <vector>

#include "lib/coder/outcome.h"
#include "lib/coder/template.h"

namespace truenas::coder {

enum class Correction {
  remove_class,  // no storage_class_name: rows A1 to A4; for when the new class is or will be the default
  ignore_all,    // the new class, and lifecycle { ignore_changes = all }: rows F2, F2b
};

struct Rewritten {
  std::vector<SourceFile> files;      // those that changed, whole
  std::string diff;                   // unified, a/ and b/ prefixes; "" when nothing had to change
  std::vector<std::string> warnings;  // what the new text cannot do (I5), what of it could not be decided
};

// `question` is asked of the new text: its `text` is not used. `address` names the claim in `files`. Where
// question.before has another type for it, the new text also carries the claim over (removed and import, I4).
// Kind::refused where the text cannot be changed with certainty (a dynamic block, an override file) or would
// still not keep the claim; Kind::not_found when `files` have no such claim.
Result<Rewritten> rewrite_template(const std::vector<SourceFile>& files, const std::string& address,
                                   Correction correction, const Question& question, const LiveClaim& live);

// The commands that bring the text in `directory` to Coder as `version` without making it active, and that
// then make it the active one. Arguments are quoted for a shell where they need it.
std::vector<std::string> push_commands(const std::string& template_name, const std::string& directory,
                                       const std::string& version);

}  // namespace truenas::coder
