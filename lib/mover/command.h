#pragma once
// The modes of volume-mover: from a mode's words to its call and its result. main.cc only hands over.

#include <string>
#include <vector>

#include "lib/base/result.h"
#include "lib/mover/finding.h"

namespace truenas::mover {

// What a mode's command line asks for is wrong: Kind::usage. Everything else is in the outcome, which the
// caller reports.
Result<Outcome> run_probe(const std::vector<std::string>& words, Reporter& reporter);
Result<Outcome> run_scan(const std::vector<std::string>& words, Reporter& reporter);
Result<Outcome> run_copy(const std::vector<std::string>& words, Reporter& reporter);
Result<Outcome> run_compare(const std::vector<std::string>& words, Reporter& reporter);
Result<Outcome> run_manifest(const std::vector<std::string>& words, Reporter& reporter);
Result<Outcome> run_check(const std::vector<std::string>& words, Reporter& reporter);

// An error as the end of a run: 4 for Kind::refused, 143 for Kind::interrupted, 2 for Kind::usage, else 1.
Outcome failed_outcome(const std::string& mode, const Error& error);

// What --help prints.
std::string usage_text();

}  // namespace truenas::mover
