#pragma once
// Flags that several modes share, and their values. Private to the commands.

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "lib/mover/flags.h"
#include "lib/mover/ownership.h"
#include "lib/mover/tree.h"

namespace truenas::mover {

// "uid" or "uid:gid"; the gid is the uid where it is not given.
Result<Owner> parse_owner(std::string_view flag, std::string_view text);
Result<OwnerMap> parse_owner_map(const Arguments& arguments);                   // --map-owner
Result<std::set<std::string>> parse_leave_out(const Arguments& arguments);      // --leave-out
Result<unsigned> parse_workers(const Arguments& arguments, unsigned standard);  // --workers
// --FLAG=SECONDS[.NANOSECONDS], as time_text() writes it.
Result<std::optional<Timestamp>> parse_moment(const Arguments& arguments, std::string_view flag);
// --owners=chown|as-owner|single-owner and --single-owner=UID:GID, which only belongs to the last of them and
// without which that is Kind::usage.
struct TargetWay {
  std::optional<OwnerWay> way;
  std::optional<Owner> single;
};
Result<TargetWay> parse_target_way(const Arguments& arguments);
// --expect-SIDE-source=… , --expect-SIDE-type=… and --expect-SIDE-mount; SIDE is "source" or "target".
MountExpectation expectation_of(const Arguments& arguments, std::string_view side);
std::vector<Flag> expectation_flags();

}  // namespace truenas::mover
