#pragma once
// What differs between two entries as far as their attributes tell. Pure.

#include <string>
#include <vector>

#include "lib/mover/entry.h"
#include "lib/mover/ownership.h"
#include "lib/mover/xattr.h"

namespace truenas::mover {

struct Difference {
  std::string kind;
  std::string text;        // "source …, target …"
  bool on_target = false;  // of what could not be compared: on which side
  // … and when that was changed, if it can be seen: the ctime of the file as it was afterwards, or of the
  // directory that it was in, looked at again. 0: nothing tells that anybody did it.
  Timestamp seen = {};
  bool operator==(const Difference&) const = default;
};

// Type alone if that differs; else owner (as mapped), mode (not of symlinks), mtime, size of regular files,
// device numbers.
std::vector<Difference> attribute_differences(const Attributes& source, const Attributes& target,
                                              const OwnerMap& owners);
// One difference that names every attribute that is missing, extraneous or other; nothing if they are equal.
std::vector<Difference> xattr_differences(const ExtendedAttributes& source, const ExtendedAttributes& target);
// What could not be read, so that nothing is known of it: kind unreadable, or changed-while-compared where it
// was there just before and its name is not, or is something else (a server's ESTALE does not tell that).
// `side`: "source" or "target".
Difference not_compared(const char* side, const char* doing, int number, Timestamp seen = {});
// Whether holes of the source were filled on the target to an extent that matters for space.
bool lost_holes(const Attributes& source, const Attributes& target);

}  // namespace truenas::mover
