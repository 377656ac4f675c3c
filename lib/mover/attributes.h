#pragma once
// Reading a file's attributes. By default what the kernel has at hand is taken (AT_STATX_DONT_SYNC): after a
// directory was read over NFS (readdirplus) that costs no RPC a file. Nothing here follows a symbolic link,
// triggers an automount or writes.

#include "lib/mover/attempt.h"
#include "lib/mover/entry.h"

namespace truenas::mover {

enum class Freshness {
  at_hand,    // whatever the kernel has cached
  usual,      // as stat(2): cached for as long as the mount says
  of_server,  // asks the server again (one RPC on NFS)
};

// Of an open file. Errors: fstat(2)'s.
Attempt<Attributes> read_attributes(int descriptor, Freshness freshness = Freshness::at_hand);
// Of `name` in an open directory; `name` is NUL-terminated. ENOENT when there is none.
Attempt<Attributes> read_attributes(int directory, const char* name,
                                    Freshness freshness = Freshness::at_hand);
// Of whatever a path leads to, symbolic links followed: only for the roots that the user named.
Attempt<Attributes> read_attributes_of_path(const char* path);

}  // namespace truenas::mover
