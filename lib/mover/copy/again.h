#pragma once
// What it means for a file with several names to be asked for again (CopyOptions::again): content belongs to
// the file, so all its names are meant, whichever of them was given and whichever is met first.

#include <set>

#include "lib/mover/copy/run.h"

namespace truenas::mover {

// The files of the source with several names, one of which is in options.again. Each path is looked up from
// `root`, step by step and as who may look; one that leads nowhere is left out: the walk does not meet it
// either.
std::set<FileKey> groups_asked_for(const Run& run, const OpenDirectory& root);

}  // namespace truenas::mover
