#pragma once
// Whom an NFS server takes a request's sender for. Pure: it must ask nobody and change nothing.

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace truenas::share {

// What a request says of its sender, or whom it is taken for.
struct Identity {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;
  bool operator==(const Identity&) const = default;
};

// exports(5): who is squashed, and to whom.
struct Rule {
  enum class Squash { none, root, all } squash = Squash::root;
  uid_t anonymous_uid = 65534;
  gid_t anonymous_gid = 65534;
};

// "no_root_squash", "root_squash" or "all_squash", each with ",anonuid=N" and ",anongid=N" as in exports(5).
// Absent for anything else.
std::optional<Rule> parse_rule(std::string_view text);

// As knfsd's nfsd_setuser: root_squash takes uid 0, gid 0 and each supplementary gid 0 for the anonymous
// ones, each for itself; all_squash takes everybody for the anonymous user without supplementary groups. A
// client sends 16 groups at most (AUTH_SYS, RFC 5531).
Identity squash(const Rule& rule, Identity sender);

}  // namespace truenas::share
