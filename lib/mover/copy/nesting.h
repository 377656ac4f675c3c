#pragma once
// Nesting: a target that lies inside its source under another name of the server must be found before the
// first change, since the walk of the copy itself meets it only after names above it were made and removed in
// it.

#include <memory>

#include "lib/base/result.h"
#include "lib/mover/copy/run.h"

namespace truenas::mover {

// Whether two directories may lie in one file system, whatever their device numbers: its size, its room and
// the number of its files are equal, in one of a few looks. It is cheap, and the volumes of a migration
// differ in what they hold, so that the search below is hardly ever made. Unknown counts as yes.
bool may_share_filesystem(int one, int other);

// Walks all directories of the source but those left out. Kind::refused when one of them is the target's root
// (is_target_root), or cannot be looked into.
Result<void> search_for_target(Run& run, const std::shared_ptr<Place>& source);

}  // namespace truenas::mover
