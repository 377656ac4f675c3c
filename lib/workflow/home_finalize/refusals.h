#pragma once
// Why a home's move is not finalized. Pure; private to this folder.

#include <optional>
#include <string>
#include <vector>

#include "lib/workflow/home_finalize.h"

namespace truenas::workflow {

engine::Blocked cannot_finalize(const FinalizeOptions& options, const std::string& why,
                                std::vector<std::string> hints = {});
// The claim is bound to the volume that it was moved to, and neither is going.
bool is_home(const FinalizeWorld& world);
std::string users_text(const std::vector<storage::DatasetUser>& users);
// Snapshots of the old volume, which go with its data; "" for none.
std::string snapshots_text(const FinalizeWorld& world);

// The journal knows no finished move, or another one than was agreed to.
std::optional<engine::Blocked> refuse_move(const FinalizeWorld& world, const FinalizeOptions& options);
// Something may still need the old volume, or only consent is missing.
std::optional<engine::Blocked> refuse_giving_up(const FinalizeWorld& world, const FinalizeOptions& options);

}  // namespace truenas::workflow
