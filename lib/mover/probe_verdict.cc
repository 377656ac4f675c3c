#include "lib/mover/probe_verdict.h"

#include <algorithm>
#include <array>

#include "lib/mover/attempt.h"

namespace truenas::mover {
namespace {

constexpr Owner k_root{0, 0};

using Observations = std::vector<const IdentityObservation*>;

bool created(const IdentityObservation& seen) {
  return seen.create_error == 0 && seen.created_as.has_value();
}

ProbeVerdict verdict(ProbeRule rule, std::optional<Owner> owner, std::string why) {
  return ProbeVerdict{rule, owner, std::move(why)};
}

std::string directory_text(const ProbeObservation& seen) {
  return "the directory is " + owner_text(seen.directory_owner) + " " + mode_text(seen.directory_mode);
}

// Those whose files tell squashing from honesty: everybody but the one whom a server may make of all.
Observations telling(const ProbeObservation& seen, Owner became) {
  Observations result;
  for (const IdentityObservation& other : seen.others) {
    if (created(other) && other.as.uid != became.uid) result.push_back(&other);
  }
  return result;
}

bool all_became(const Observations& all, Owner owner) {
  return std::all_of(all.begin(), all.end(), [&](const auto* one) { return *one->created_as == owner; });
}

// By uid alone: a server may still map a group that it does not trust (gid 0 under root_squash).
bool all_stayed(const Observations& all) {
  return std::all_of(all.begin(), all.end(),
                     [](const auto* one) { return one->created_as->uid == one->as.uid; });
}

// Where root is squashed: whether the directory's owner is the only one who may write in it.
bool only_owner_writes(const ProbeObservation& seen) {
  bool owner_can = false, another_can = seen.root->here_error == 0;
  for (const IdentityObservation& other : seen.others) {
    if (other.here_error != 0) continue;
    (other.as.uid == seen.directory_owner.uid ? owner_can : another_can) = true;
  }
  return owner_can && !another_can;
}

// Root's file belongs to `became`.
ProbeVerdict judge_by_files(const ProbeObservation& seen, Owner became) {
  const Observations others = telling(seen, became);
  std::string why = "root creates as " + owner_text(became);
  if (others.empty()) {
    return verdict(ProbeRule::unknown, became,
                   why + ", no other uid could create anything; " + directory_text(seen));
  }
  const IdentityObservation& other = *others.front();
  why += ", uid " + std::to_string(other.as.uid) + " as " + owner_text(*other.created_as);
  const bool chown_sticks = seen.root->chown_error == 0 && seen.root->after_chown == seen.root->chown_to;
  why += chown_sticks ? ", chown by root works" : ", chown by root does not work";
  if (all_became(others, became)) {
    // Where everybody is root, files are given away; a server that does not even let root do so is a riddle.
    if (became.uid == 0 && !chown_sticks) return verdict(ProbeRule::unknown, became, why);
    return verdict(ProbeRule::all_squash, became, why);
  }
  if (!all_stayed(others)) return verdict(ProbeRule::unknown, became, why);
  if (became.uid != 0) {
    if (!only_owner_writes(seen)) return verdict(ProbeRule::root_squash, became, why);
    return verdict(ProbeRule::private_to_owner, seen.directory_owner, why + "; " + directory_text(seen));
  }
  if (!chown_sticks) return verdict(ProbeRule::unknown, became, why);
  return verdict(is_remote_type(seen.type) ? ProbeRule::no_root_squash : ProbeRule::local_file_system,
                 std::nullopt, why);
}

}  // namespace

std::string owner_text(Owner owner) {
  return std::to_string(owner.uid) + ":" + std::to_string(owner.gid);
}

std::string mode_text(std::uint16_t mode) {
  std::string text;
  for (int shift = 9; shift >= 0; shift -= 3) text += static_cast<char>('0' + (mode >> shift & 7));
  return text;
}

bool is_remote_type(std::string_view type) {
  constexpr std::array<std::string_view, 8> k_types = {"nfs",  "nfs4", "fuse",     "cifs",
                                                       "smb3", "9p",   "virtiofs", "ceph"};
  return type.starts_with("fuse.") || std::find(k_types.begin(), k_types.end(), type) != k_types.end();
}

std::string ProbeVerdict::text() const {
  switch (rule) {
    case ProbeRule::local_file_system:
      return "local file system";
    case ProbeRule::no_root_squash:
      return "no_root_squash";
    case ProbeRule::root_squash:
      return "root_squash";
    case ProbeRule::all_squash:
      return owner == k_root ? "all_squash(root)" : "all_squash(" + owner_text(owner.value_or(k_root)) + ")";
    case ProbeRule::private_to_owner:
      return "private to uid " + std::to_string(owner.value_or(k_root).uid);
    case ProbeRule::read_only:
      return "read-only";
    case ProbeRule::unknown:
      break;
  }
  return "unknown";
}

Verdict ProbeVerdict::for_copying() const {
  switch (rule) {
    case ProbeRule::local_file_system:
    case ProbeRule::no_root_squash:
      return Verdict{Squash::none, {}};
    case ProbeRule::root_squash:
    case ProbeRule::private_to_owner:
      return Verdict{Squash::root, {}};
    case ProbeRule::all_squash:
      if (owner == k_root) return Verdict{Squash::all_to_root, {}};
      // Root with another group is neither: chown may work, the one owner would not be what is wanted.
      if (!owner || owner->uid == 0) break;
      return Verdict{Squash::all_to_another, *owner};
    case ProbeRule::read_only:
    case ProbeRule::unknown:
      break;
  }
  return Verdict{};
}

ProbeVerdict judge(const ProbeObservation& seen) {
  if (seen.read_only) return verdict(ProbeRule::read_only, {}, "mounted read-only; " + directory_text(seen));
  if (!seen.root || !seen.root->create_error) {
    const std::string reason = seen.root ? "nobody could make a directory here" : "the process is not root";
    return verdict(ProbeRule::unknown, {}, reason + "; " + directory_text(seen));
  }
  if (created(*seen.root)) return judge_by_files(seen, *seen.root->created_as);
  return verdict(ProbeRule::unknown, {},
                 "root cannot create: " + errno_text(*seen.root->create_error) + "; " + directory_text(seen));
}

}  // namespace truenas::mover
