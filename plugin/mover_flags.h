#pragma once
// The flags of every command that runs volume-mover in a Pod, and the programs that this binary carries.

#include <vector>

#include "lib/storage/mover_place.h"
#include "lib/workflow/mover_run.h"
#include "plugin/arguments.h"

namespace truenas::plugin {

// --mover-image, --image-pull-secret, --node-selector, --toleration, --mover-requests, --mover-limits.
std::vector<Flag> mover_flags();
// Kind::usage for a selector, toleration or quantity that is none.
Result<storage::MoverWishes> read_mover_wishes(const Arguments& arguments);
// The programs inside this binary; Kind::refused for an architecture that it carries none for.
workflow::MoverProgram embedded_mover();
// A name for this process's run on `what` that no other run has: at most 20 of [a-z0-9-].
std::string make_run_name(const std::string& what);

}  // namespace truenas::plugin
