#pragma once
// The journal's facts of a rolling move as text: how they are written (begin, proof) and read back. Pure. It
// must not decide which facts are needed.

#include <map>
#include <string>

#include "lib/engine/workflow.h"
#include "lib/workflow/postgres_rolling/world.h"

namespace truenas::workflow {

// Of the newest move. Kind::format when a fact is damaged: what was written down must not be guessed.
Result<MoveFacts> read_facts(const std::map<std::string, std::string>& facts);
// Whether a canary with this fingerprint has passed, now or in an earlier run.
bool canary_is_noted(const std::map<std::string, std::string>& facts, const std::string& fingerprint);
// The value that a step `note` writes under its key.
std::string fact_value(const engine::Step& step);
std::string proof_value(const std::string& summary, const PostgresWorld& world);

}  // namespace truenas::workflow
