#pragma once
// What must hold before the first change: a source that is empty, or that has nothing in common with the
// target, may be the wrong volume. Pure over the two lists of names.

#include "lib/base/result.h"
#include "lib/mover/copy.h"
#include "lib/mover/directory.h"

namespace truenas::mover {

// Kind::refused with the option that would allow it. Only asked with options.remove_extraneous: without it
// nothing is lost. On either side counts for nothing: what is left out, "lost+found", the directories in
// which servers show their snapshots (".zfs", ".snapshot"), and removed files that are still open (".nfs…").
Result<void> check_contents(const Listing& source, const Listing& target, const CopyOptions& options);

// Whether the target's root can be filled: where root is squashed it must belong to an owner or be open to
// all.
Result<void> check_root(const Attributes& target, const CopyOptions& options);

}  // namespace truenas::mover
