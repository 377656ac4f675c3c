#pragma once
// What a probe saw, and what it means. Pure: the system calls are in probe.h, so that every kind of server
// can be tried in a table. Names of the squash rules: exports(5).

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lib/mover/entry.h"
#include "lib/mover/ownership.h"

namespace truenas::mover {

// What one identity tried. An error is an errno: 0 where it worked, nothing where it was not tried.
struct IdentityObservation {
  Owner as;
  std::optional<int> here_error;     // making a directory in the probed directory itself
  std::optional<int> create_error;   // open(O_CREAT | O_EXCL) in the probe's own directory, open to everybody
  std::optional<Owner> created_as;   // who owns what it created
  Owner chown_to;                    // to whom it tried to give that …
  std::optional<int> chown_error;    // …
  std::optional<Owner> after_chown;  // … and who owned it then: only the outcome counts (velero#10044)
  std::optional<int> stat_error, rename_error, link_error, fsync_error, xattr_error, lock_error;
  std::uint64_t create_microseconds = 0;  // median of one exclusive create with its close
};

struct ProbeObservation {
  std::string type;        // of the file system: "nfs4", "ext4"
  bool read_only = false;  // mounted so: nothing was tried
  Owner directory_owner;   // of the probed directory itself
  std::uint16_t directory_mode = 0;
  std::optional<IdentityObservation> root;  // nothing when the probing process is not root
  std::vector<IdentityObservation> others;  // the asked-for owners, and one stranger who owns nothing
};

enum class ProbeRule {
  local_file_system,  // no server: the kernel's own rules
  no_root_squash,     // root stays root, chown works
  root_squash,        // root becomes somebody else, everybody else stays
  all_squash,         // everybody becomes one owner
  private_to_owner,   // root_squash, and only one uid may write in the directory at all
  read_only,          // nothing could be tried
  unknown,            // what was seen fits no rule; `why` says what it was
};

struct ProbeVerdict {
  ProbeRule rule = ProbeRule::unknown;
  // all_squash: whom everybody becomes. root_squash: whom root becomes. private_to_owner: who may write.
  std::optional<Owner> owner;
  std::string why;  // one sentence: what was seen

  // "all_squash(root)", "all_squash(1000:1000)", "root_squash", "private to uid 1000", "local file system" …
  std::string text() const;
  // The same as a copier must take it; Squash::unknown where nothing may be copied.
  Verdict for_copying() const;
};

std::string owner_text(Owner owner);        // "1000:1000"
std::string mode_text(std::uint16_t mode);  // "0755"
// Whether rules other than the kernel's own may decide about owners: another machine, or a program that acts
// for one (nfs, nfs4, fuse …).
bool is_remote_type(std::string_view type);

ProbeVerdict judge(const ProbeObservation& seen);

}  // namespace truenas::mover
