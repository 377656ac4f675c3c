#pragma once
// Removing, between its two files: single entries (remove.cc) and directories with all below
// (remove_tree.cc). Nothing is removed but what the decision saw: a name may have been given to another file
// since.

#include <optional>
#include <string>
#include <string_view>

#include "lib/mover/copy/run.h"

namespace truenas::mover {

// The directory that holds another, and who may look into it.
struct OpenAbove {
  int directory;
  std::optional<Owner> finder;
};

// A name on the target; its path is put together only when it has to be told.
struct Where {
  const Place& directory;
  std::string_view name;
  std::string path() const { return directory.path_of(name); }
};

// Whether it may be removed: no mount, and not the source. false: reported.
bool may_go(Run& run, const Where& where, const OpenAbove& parent, const Attributes& seen);
// Whether what was looked at is what the decision saw, and nothing is mounted over it.
bool is_same(const Attributes& now, const Attributes& seen);
void report_replaced(Run& run, const Where& where);
// unlinkat(2) as `actor`; what has gone already is as good. false: reported.
bool unlink_at(Run& run, const Where& where, int directory, const char* name, std::optional<Owner> actor,
               int flags);
// Removes what is not a directory. false: reported.
bool remove_file(Run& run, const Where& where, const OpenAbove& above, std::optional<Owner> actor,
                 const Attributes& seen);
// Removes a directory with all below it. What is left out stays, and the directories above it: false then,
// too.
bool remove_tree(Run& run, DirectoryPair& pair, int target, const std::string& name, const Attributes& seen);

}  // namespace truenas::mover
