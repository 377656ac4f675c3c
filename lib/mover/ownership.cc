#include "lib/mover/ownership.h"

#include <charconv>

#include "lib/mover/attempt.h"

namespace truenas::mover {
namespace {

std::string owner_text(Owner owner) {
  return std::to_string(owner.uid) + ":" + std::to_string(owner.gid);
}

// A number, or nothing for "*". 4294967295 is no id: (uid_t)-1 means "leave it" to chown(2).
bool read_id(std::string_view text, std::optional<std::uint32_t>& id) {
  if (text == "*") {
    id.reset();
    return true;
  }
  std::uint32_t number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc{} || end != text.data() + text.size() || number == 0xffffffff) return false;
  id = number;
  return true;
}

bool read_pair(std::string_view text, std::optional<std::uint32_t>& uid, std::optional<std::uint32_t>& gid) {
  const std::size_t colon = text.find(':');
  return colon != std::string_view::npos && read_id(text.substr(0, colon), uid) &&
         read_id(text.substr(colon + 1), gid);
}

std::string id_text(const std::optional<std::uint32_t>& id) {
  return id ? std::to_string(*id) : "*";
}

}  // namespace

std::string_view way_name(OwnerWay way) {
  switch (way) {
    case OwnerWay::chown:
      return "chown";
    case OwnerWay::as_owner:
      return "as-owner";
    case OwnerWay::single_owner:
      break;
  }
  return "single-owner";
}

Result<OwnerWay> parse_way(std::string_view text) {
  for (const OwnerWay way : {OwnerWay::chown, OwnerWay::as_owner, OwnerWay::single_owner})
    if (way_name(way) == text) return way;
  return make_error(Kind::usage,
                    "no way to set owners: " + shown(text) + "; there are chown, as-owner and single-owner");
}

std::string verdict_text(const Verdict& verdict) {
  switch (verdict.squash) {
    case Squash::none:
      return "no_root_squash";
    case Squash::root:
      return "root_squash";
    case Squash::all_to_root:
      return "all_squash to root";
    case Squash::all_to_another:
      return "private to " + owner_text(verdict.owner);
    case Squash::unknown:
      break;
  }
  return "unknown";
}

Result<OwnerWay> way_for(const Verdict& verdict) {
  switch (verdict.squash) {
    case Squash::none:
    case Squash::all_to_root:
      return OwnerWay::chown;
    case Squash::root:
      return OwnerWay::as_owner;
    case Squash::all_to_another:
      return OwnerWay::single_owner;
    case Squash::unknown:
      break;
  }
  return make_error(Kind::refused, "what the target's server does with owners is not known: probe it first");
}

Result<OwnerRule> parse_owner_rule(std::string_view text) {
  OwnerRule rule;
  const std::size_t sign = text.find('=');
  if (sign == std::string_view::npos || !read_pair(text.substr(0, sign), rule.from_uid, rule.from_gid) ||
      !read_pair(text.substr(sign + 1), rule.to_uid, rule.to_gid))
    return make_error(Kind::usage, "not an owner mapping: " + shown(text) + " (wanted uid:gid=uid:gid)");
  return rule;
}

std::string render(const OwnerRule& rule) {
  return id_text(rule.from_uid) + ":" + id_text(rule.from_gid) + "=" + id_text(rule.to_uid) + ":" +
         id_text(rule.to_gid);
}

Owner OwnerMap::apply(Owner owner) const {
  for (const OwnerRule& rule : rules_) {
    if (rule.from_uid.value_or(owner.uid) != owner.uid || rule.from_gid.value_or(owner.gid) != owner.gid)
      continue;
    return Owner{rule.to_uid.value_or(owner.uid), rule.to_gid.value_or(owner.gid)};
  }
  return owner;
}

std::optional<std::string> owner_obstacle(OwnerWay way, Owner owner, std::optional<Owner> single) {
  switch (way) {
    case OwnerWay::chown:
      return std::nullopt;
    case OwnerWay::as_owner:
      if (owner.uid == 0 || owner.gid == 0)
        return "owner " + owner_text(owner) + " cannot be set where root is squashed";
      return std::nullopt;
    case OwnerWay::single_owner:
      break;
  }
  if (!single) return "the one owner of the target is not known";
  if (owner != *single)
    return "owner " + owner_text(owner) + " cannot be set: everything on the target belongs to " +
           owner_text(*single);
  return std::nullopt;
}

}  // namespace truenas::mover
