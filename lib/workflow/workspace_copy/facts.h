#pragma once
// The journal's facts of a home's move, as they are written and read. Pure.

#include <map>
#include <string>

#include "lib/base/result.h"
#include "lib/workflow/workspace_copy/world.h"

namespace truenas::workflow {

// The newest run's; number 0 when there is none. Kind::format naming the fact that is damaged.
Result<SwapFacts> read_swap_facts(const std::map<std::string, std::string>& all);
// What one fact adds: `name` is its key without "run-N.". Names that this program does not know add nothing.
Result<void> apply_fact(SwapFacts& facts, const std::string& name, const std::string& value);

// Values.
std::string begin_value(const SwapFacts& facts);
// The workspace as Coder has it now; what the journal has of it already stays where it tells nothing.
std::string workspace_value(const SwapWorld& world);
std::string equal_value(const EqualVolumes& equal);
std::string sight_value(const DatasetSight& sight);
std::string volume_value(const RememberedVolume& volume);
RememberedVolume remember(const VolumeState& volume);

}  // namespace truenas::workflow
