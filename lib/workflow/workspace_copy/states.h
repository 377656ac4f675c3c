#pragma once
// A claim and a volume as a SwapWorld has them, read from their objects. Pure.

#include <optional>
#include <string>

#include "lib/workflow/workspace_copy/world.h"

namespace truenas::workflow {

// Without an object: a claim of that name that does not exist.
ClaimState claim_state(const std::optional<json::Value>& object, const std::string& name);
VolumeState volume_state(const json::Value& object);

}  // namespace truenas::workflow
