#pragma once
// What is to be done with one name, from what is known of it on both sides. Pure.

#include <optional>
#include <string>

#include "lib/mover/entry.h"
#include "lib/mover/ownership.h"

namespace truenas::mover {

enum class Action {
  keep,     // nothing
  adjust,   // the content stays; owner, mode, times or extended attributes are set
  create,   // nothing is there
  replace,  // what is there goes first, a directory with all that it holds
  descend,  // both are directories; its attributes are settled when all below it is done
  refuse,   // it cannot be represented on the target
};

struct Decision {
  Action action = Action::keep;
  bool xattrs = false;  // extended attributes have to be compared (an RPC or two each over NFS)
  std::string kind;     // of `refuse`: the finding's kind
  std::string why;      // of `refuse`: one sentence
};

struct DecisionRules {
  OwnerWay way = OwnerWay::chown;
  std::optional<Owner> single_owner;
  bool ctime_counts = true;
};

// `source.owner` is mapped already. `target` is nullptr when nothing is there. `again`: the content is to be
// copied whatever size and times say.
// A file's content is taken for unchanged when size and mtime are equal to the nanosecond and the source's
// ctime is older than the target's. Equal is not older: file systems' clocks tick in milliseconds, and a
// change may follow the copy within one tick. That another mode, owner or link count would explain a newer
// ctime proves nothing: the content may have been changed as well.
// A target file with more names than the source's is never kept, and one with several names never adjusted:
// those names would share what they must not.
// Extended attributes are compared wherever anything differs: the mtime is set last, so a file or directory
// with its source's mtime was finished once; any other may have been left in the middle.
Decision decide(const Attributes& source, const Attributes* target, const DecisionRules& rules, bool again);

// Whether extended attributes of a directory that is on both sides have to be compared.
bool xattrs_suspect(const Attributes& source, const Attributes& target, const DecisionRules& rules,
                    bool again);

// Whether mode, owner or mtime differ, as far as that type of file has them.
bool attributes_differ(const Attributes& source, const Attributes& target);

}  // namespace truenas::mover
