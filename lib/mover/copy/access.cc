#include "lib/mover/copy/access.h"

namespace truenas::mover {
namespace {
constexpr std::uint16_t k_set_gid = 02000;

bool owner_may_write(std::uint16_t mode) {
  return (mode & 0300) == 0300;
}
bool others_may_write(std::uint16_t mode) {
  return (mode & 0003) == 0003;
}
}  // namespace

std::optional<Owner> keeper_of(OwnerWay way, Owner directory) {
  if (way != OwnerWay::as_owner || directory.uid == 0) return std::nullopt;
  return directory;
}

std::optional<Owner> remover_of(OwnerWay way, Owner directory, Owner entry) {
  const std::optional<Owner> keeper = keeper_of(way, directory);
  return keeper ? keeper : keeper_of(way, entry);
}

std::optional<Owner> maker_of(OwnerWay way, Owner owner, Owner directory, std::uint16_t directory_mode,
                              bool may_act) {
  if (way == OwnerWay::as_owner) return owner;
  const bool at_home =
      owner == directory && owner_may_write(directory_mode) && (directory_mode & k_set_gid) == 0;
  if (way == OwnerWay::chown && may_act && owner.uid != 0 && at_home) return owner;
  return std::nullopt;
}

bool must_widen(OwnerWay way, std::optional<Owner> actor, Owner directory, std::uint16_t directory_mode) {
  switch (way) {
    case OwnerWay::chown:
      return false;
    case OwnerWay::single_owner:
      return !owner_may_write(directory_mode);
    case OwnerWay::as_owner:
      break;
  }
  // Root's own directory cannot be opened by anybody else; there each file's group is set afterwards.
  if (directory.uid == 0) return !others_may_write(directory_mode);
  if ((directory_mode & k_set_gid) != 0) return true;
  if (actor && actor->uid == directory.uid) return !owner_may_write(directory_mode);
  return !others_may_write(directory_mode);
}

std::uint16_t first_mode(OwnerWay way, std::uint16_t wanted, bool foreign) {
  const auto plain = static_cast<std::uint16_t>(wanted & k_wide);
  // Whoever makes it must be able to open it, also one that stays closed to its own owner.
  if (way == OwnerWay::chown) return static_cast<std::uint16_t>(plain | 0700);
  const bool fillable = (wanted & 0700) == 0700 && (wanted & k_set_gid) == 0;
  return fillable && !(foreign && way == OwnerWay::as_owner) ? plain : k_wide;
}

}  // namespace truenas::mover
