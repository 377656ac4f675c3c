#pragma once
// The last comparison before an old volume is given up: what the mover is told, and what its result means.
// The home is in use again, so that its volume differs from the old one; by the times at which inodes were
// changed, noted at the move, the mover tells its user's work from loss and damage
// (lib/mover/compare/since.h). Pure; private to this folder.

#include <string>
#include <vector>

#include "lib/base/result.h"
#include "lib/storage/mover_end.h"
#include "lib/workflow/home_finalize.h"

namespace truenas::workflow {

// Where the home is mounted.
inline constexpr const char* k_checked_home = "/target";

// The mover's words before the paths.
std::vector<std::string> check_words(const EqualVolumes& equal, const FinalizeOptions& options);
// What was seen, for people, when the old volume may go. Kind::mismatch naming files that are not the same,
// and that nothing shows its user to have changed or removed on the home, or much that he has removed and
// that is not accepted (k_removed_since); Kind::stopped: it could not be compared; Kind::interrupted.
Result<std::string> judge_check(const FinalizeOptions& options, const VolumeState& old,
                                const storage::MoverEnd& end);

}  // namespace truenas::workflow
