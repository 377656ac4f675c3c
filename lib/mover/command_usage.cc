#include "lib/mover/command.h"

namespace truenas::mover {

std::string usage_text() {
  return R"(volume-mover: moves a tree of files from one volume to another, and proves it

  volume-mover probe DIR       what the directory's server does with owners
      --uid=UID[:GID]          act as this owner too (repeatable)
      --copy-from=DIR          whether the server copies from there by itself
      --copy-from-writable     a file to copy may be made there (and is removed)
  volume-mover scan DIR        what the tree consists of, and what the target cannot represent
      --top                    only what lies directly in DIR
      --since=TIME             name what has changed since (a compare's newest_change_target)
  volume-mover copy SRC DST    make DST what SRC is
      --delete                 remove what SRC does not have (with --expect-source-mount and --expect-target-mount)
      --final                  a file that changes meanwhile is an error, not a warning
      --again=FILE             copy these paths whatever size and times say (a list of compare's)
      --bandwidth-limit=N[KMG] bytes a second
      --accept-empty-source    let an empty SRC empty DST
      --accept-unrelated       let SRC replace a DST that has no name in common with it
      --ignore-ctime           size and modification time alone say whether a file is unchanged
  volume-mover compare SRC DST read both again and name every difference
      --list=FILE              write the paths that differ, each ended by a NUL
      --manifest=FILE          write a manifest of DST if nothing differs
      --since=TIME --source-since=TIME  both were equal when an earlier compare said newest_change_target and
                               newest_change_source: what was done to DST since then is no difference
      --source-was-empty       … and there was nothing in SRC then
      --accept-removed         … and much of SRC may have been removed from DST since
  volume-mover manifest DIR    one line a directory with a hash over its entries
      --output=FILE            into a file instead of JSON lines
      --root-not-carried       DIR's own owner, mode and times are not expected to stay
  volume-mover check DIR FILE  whether the directory still is what the manifest says
      --unmapped               DIR is the source: its owners are those before --map-owner

What several modes take:
  --owners=chown|as-owner|single-owner  how owners are set on the target; what probe calls `way`
  --single-owner=UID:GID       to whom everything on the target belongs (with single-owner)
  --map-owner=UID:GID=UID:GID  this owner becomes that one; * stands for any (repeatable)
  --leave-out=PATH             relative to the root, with all below (repeatable)
  --source-as-owner            SRC's (or DIR's) server squashes root: read each file as its owner
  --no-xattrs                  neither extended attributes nor ACLs
  --workers=N                  so many at a time
  --expect-source-mount, --expect-source-type=TYPE, --expect-source-source=SOURCE
  --expect-target-mount, --expect-target-type=TYPE, --expect-target-source=SOURCE
                               refuse unless something is mounted exactly there, of that type ("nfs": any
                               version), from there; for one DIR: source, with probe: target
  --termination-log=FILE       the result goes there too if the file exists (/dev/termination-log)

Output: JSON lines (progress, finding, result); a path's backslashes, control characters and bytes that are not
UTF-8 are written \xHH. SIGTERM ends a run cleanly; running it again goes on.
Exit: 0 done, 1 failed, 2 misuse, 3 differences, 4 refused before anything was changed, 143 stopped.
)";
}

}  // namespace truenas::mover
