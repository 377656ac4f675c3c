#include "lib/mover/copy/guard.h"

#include "lib/mover/copy/access.h"

namespace truenas::mover {
namespace {

bool counts(std::string_view name) {
  return name != "lost+found";
}

std::size_t count(const Listing& listing) {
  std::size_t number = 0;
  for (std::size_t at = 0; at < listing.size(); ++at) number += counts(listing.name(at)) ? 1 : 0;
  return number;
}

bool have_one_in_common(const Listing& source, const Listing& target) {
  std::size_t there = 0;
  for (std::size_t at = 0; at < source.size(); ++at) {
    const std::string_view name = source.name(at);
    while (there < target.size() && target.name(there) < name) ++there;
    if (there < target.size() && target.name(there) == name && counts(name)) return true;
  }
  return false;
}

std::string entries(std::size_t number) {
  return std::to_string(number) + (number == 1 ? " entry" : " entries");
}

}  // namespace

Result<void> check_contents(const Listing& source, const Listing& target, const CopyOptions& options) {
  if (!options.remove_extraneous) return {};
  const std::size_t there = count(target);
  if (there == 0) return {};
  if (count(source) == 0) {
    if (options.accept_empty_source) return {};
    return make_error(Kind::refused,
                      "refused: the source is empty and the target has " + entries(there) +
                          "; an empty source does not empty a target. Is the source volume mounted?",
                      {"--accept-empty-source"});
  }
  if (options.accept_unrelated || have_one_in_common(source, target)) return {};
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
