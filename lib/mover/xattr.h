#pragma once
// Extended attributes, POSIX ACLs among them (system.posix_acl_access, system.posix_acl_default). NFSv4 ACLs
// (system.nfs4_acl) are listed but never carried: they say what mode and owner say, or cannot be represented.

#include <map>
#include <string>
#include <string_view>

#include "lib/mover/attempt.h"

namespace truenas::mover {

using ExtendedAttributes = std::map<std::string, std::string>;  // name -> bytes

enum class XattrRole {
  carried,       // user.*, trusted.*, security.capability and others: copied and compared
  posix_acl,     // copied and compared, last (they change the mode's group bits)
  reported_only  // system.nfs4_*, security.selinux, security.ima, security.evm: the server's or the node's
                 // own
};
XattrRole role_of(std::string_view name);

// Of an open file or directory, all that role_of does not make `reported_only`. Where the file system has
// none, a file has none; that is asked for each file anew, because one answer speaks for one file only.
Attempt<ExtendedAttributes> read_xattrs(int descriptor);
// Of `name` in an open directory, without following links and without opening it (through /proc/self/fd, so
// it needs /proc): for symlinks, FIFOs, sockets and devices.
Attempt<ExtendedAttributes> read_xattrs(int directory, const char* name);
// The names that are there, `reported_only` ones included.
Attempt<std::map<std::string, XattrRole>> read_xattr_names(int descriptor);
// The same of `name` in an open directory, as the other read_xattrs.
Attempt<std::map<std::string, XattrRole>> read_xattr_names(int directory, const char* name);

struct XattrFailure {
  int number = 0;  // 0: all worked
  std::string name;
};
// Makes the extended attributes of an open file `wanted`: sets what differs from `actual`, removes what is
// there too much. The first failure ends it.
XattrFailure write_xattrs(int descriptor, const ExtendedAttributes& wanted, const ExtendedAttributes& actual);
XattrFailure write_xattrs(int directory, const char* name, const ExtendedAttributes& wanted,
                          const ExtendedAttributes& actual);

}  // namespace truenas::mover
