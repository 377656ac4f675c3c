#pragma once
// As whom the mover acts inside a directory of the target, and when that directory must first be opened wide.
// Where root is squashed root may do nothing there: names are made by the owner of what they name, and
// removed and listed by the directory's owner. Pure.

#include <cstdint>
#include <optional>

#include "lib/mover/entry.h"
#include "lib/mover/ownership.h"

namespace truenas::mover {

// The mode of a directory that is open to everybody while it is filled or emptied.
inline constexpr std::uint16_t k_wide = 0777;

// The identity for listing a directory, removing names from it and setting its own attributes; nothing: the
// thread's own. A directory of uid 0 can be nobody's but root's.
std::optional<Owner> keeper_of(OwnerWay way, Owner directory);

// The identity for removing an entry of `entry` from such a directory: its keeper, or, in a directory of
// root's, the entry's own owner (which a sticky bit allows too).
std::optional<Owner> remover_of(OwnerWay way, Owner directory, Owner entry);

// The identity for making a file of `owner` in a directory that has these attributes now; nothing: the
// thread's own, and chown afterwards. Where root may chown, acting as the owner is worth it too: it saves the
// RPC; `may_act` says whether the process can (CAP_SETUID, CAP_SETGID).
std::optional<Owner> maker_of(OwnerWay way, Owner owner, Owner directory, std::uint16_t directory_mode,
                              bool may_act);

// Whether a directory with these attributes must be opened wide before `actor` may make and remove names in
// it and gets his own group on what he makes (setgid gives the directory's).
bool must_widen(OwnerWay way, std::optional<Owner> actor, Owner directory, std::uint16_t directory_mode);

// The mode a new directory is made with. `foreign`: something in it belongs to another owner. The final mode
// at once where the directory can be filled with it, which saves an RPC; never closed to its owner.
std::uint16_t first_mode(OwnerWay way, std::uint16_t wanted, bool foreign);

}  // namespace truenas::mover
