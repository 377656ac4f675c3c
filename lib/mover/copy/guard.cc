#include "lib/mover/copy/guard.h"

#include "lib/mover/copy/access.h"
#include "lib/mover/nonce.h"

namespace truenas::mover {
namespace {

// ".nfs" and at least 16 hexadecimal digits: what an NFS client makes of a removed file that is still open.
bool is_removed_but_open(std::string_view name) {
  constexpr std::string_view k_digits = "0123456789abcdef";
  return name.size() >= 20 && name.starts_with(".nfs") &&
         name.find_first_not_of(k_digits, 4) == std::string_view::npos;
}

// Whether a name says that its directory holds something that is copied.
bool counts(std::string_view name, const CopyOptions& options) {
  for (const std::string_view nothing : {"lost+found", ".zfs", ".snapshot"})
    if (name == nothing) return false;
  return !is_removed_but_open(name) && !is_nonce_name(name) && !options.leave_out.contains(std::string(name));
}

std::size_t count(const Listing& listing, const CopyOptions& options) {
  std::size_t number = 0;
  for (std::size_t at = 0; at < listing.size(); ++at) number += counts(listing.name(at), options) ? 1 : 0;
  return number;
}

bool have_one_in_common(const Listing& source, const Listing& target, const CopyOptions& options) {
  std::size_t there = 0;
  for (std::size_t at = 0; at < source.size(); ++at) {
    const std::string_view name = source.name(at);
    while (there < target.size() && target.name(there) < name) ++there;
    if (there < target.size() && target.name(there) == name && counts(name, options)) return true;
  }
  return false;
}

std::string entries(std::size_t number) {
  return std::to_string(number) + (number == 1 ? " entry" : " entries");
}

}  // namespace

Result<void> check_contents(const Listing& source, const Listing& target, const CopyOptions& options) {
  if (!options.remove_extraneous) return {};
  const std::size_t there = count(target, options);
  if (there == 0) return {};
  if (count(source, options) == 0) {
    if (options.accept_empty_source) return {};
    return make_error(Kind::refused,
                      "refused: the source is empty and the target has " + entries(there) +
                          "; an empty source does not empty a target. Is the source volume mounted?",
                      {"--accept-empty-source"});
  }
  if (options.accept_unrelated || have_one_in_common(source, target, options)) return {};
  return make_error(Kind::refused,
                    "refused: the target has " + entries(there) +
                        " and not one name in common with the source; they may not belong together",
                    {"--accept-unrelated"});
}

Result<void> check_root(const Attributes& target, const CopyOptions& options) {
  if (options.way != OwnerWay::as_owner || target.owner.uid != 0) return {};
  if (!must_widen(options.way, Owner{1, 1}, target.owner, target.mode)) return {};
  return make_error(Kind::refused,
                    "refused: the target's root directory belongs to root and is not open to others, and its "
                    "server squashes root: nobody can write there");
}

}  // namespace truenas::mover
