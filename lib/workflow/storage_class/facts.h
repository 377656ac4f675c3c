#pragma once
// The journal's facts of a changed class as text: how they are written and read back. Pure.

#include <map>
#include <string>
#include <vector>

#include "lib/workflow/storage_class/world.h"

namespace truenas::workflow {

// Oldest first. Kind::format when a fact is damaged: what was written down must not be guessed.
Result<std::vector<ClassRun>> read_class_runs(const std::map<std::string, std::string>& facts);
// Under "run-N.end" stands one of these.
inline constexpr std::string_view k_run_complete = "complete", k_run_abandoned = "abandoned";
// The value under "run-N.begin".
std::string begin_value(const ClassRun& run);
std::string begin_key(int number);
std::string end_key(int number);

}  // namespace truenas::workflow
