#pragma once
// Setting attributes on the target, and looking afterwards whether they are what was asked for: a server may
// answer a chown with success and do nothing. It must not touch content.

#include <optional>
#include <string>

#include "lib/mover/attempt.h"
#include "lib/mover/descriptor.h"
#include "lib/mover/entry.h"
#include "lib/mover/ownership.h"

namespace truenas::mover {

// What could not be done; number 0 and no text: all is as wanted.
struct ChangeFailure {
  int number = 0;
  std::string doing;  // "cannot set the owner"
  std::string text;   // without an errno: what came out instead
  bool failed() const { return number != 0 || !text.empty(); }
};

// Brings owner, mode and mtime of an open file or directory to `wanted`, in that order (chown clears setuid),
// each only where `actual` differs; `times` sets the mtime whatever `actual` says. Acts as the thread does,
// but for chown as the thread itself. Read back afterwards.
ChangeFailure set_attributes(int descriptor, OwnerWay way, const Attributes& wanted, const Attributes& actual,
                             bool times);
// Only the owner (before extended attributes: chown takes capabilities away).
ChangeFailure set_owner(int descriptor, OwnerWay way, Owner wanted, Owner actual);
ChangeFailure set_owner(int directory, const char* name, OwnerWay way, Owner wanted, Owner actual);
// set_attributes for `name` in an open directory, without following it: symlinks, FIFOs, sockets, and files
// that are not opened.
ChangeFailure set_attributes(int directory, const char* name, OwnerWay way, const Attributes& wanted,
                             const Attributes& actual, bool times);

// chmod of `name` that never follows a link.
Attempt<void> change_mode(int directory, const char* name, std::uint16_t mode);
// chmod of what a handle (find_entry) stands for; EOPNOTSUPP for a symlink.
Attempt<void> change_mode(const Descriptor& handle, std::uint16_t mode);

}  // namespace truenas::mover
