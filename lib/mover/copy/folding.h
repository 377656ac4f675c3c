#pragma once
// Names that a target may take for one: a volume that ignores case or normalises Unicode opens the file of
// the one when it is asked for the other, and what was just written would be written over.

#include <string>

#include "lib/mover/copy/run.h"
#include "lib/mover/directory.h"

namespace truenas::mover {

// Whether any two different names of a directory could be one to a volume that folds: equal but for the case
// of their ASCII letters, or, since what Unicode folds to what is the volume's own choice, any that is not
// ASCII. Where it says yes, files are made exclusively, which costs an RPC more each over NFS; where no, a
// name that is new cannot meet another's file. `target`: names there that the source does not have count too;
// nullptr: none. Needs 8 bytes a name while it looks.
bool names_may_fold(const Listing& source, const Listing* target);

// `name` could not be made because the target has it already, though it did not list it: an error finding
// with both names, if there is another that leads to the same file.
void report_taken(Run& run, const DirectoryPair& directory, int target, const std::string& name);

}  // namespace truenas::mover
