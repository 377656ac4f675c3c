#pragma once
// Which of the three ways sets owners on a target, decided from what a probe found and never by trying; and
// the mapping that stands for an owner which cannot be carried. All pure.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lib/mover/entry.h"

namespace truenas::mover {

enum class OwnerWay {
  chown,         // root may give files away
  as_owner,      // every file is written by its owner
  single_owner,  // everything belongs to one owner, whoever writes
};
std::string_view way_name(OwnerWay way);  // "chown", "as-owner", "single-owner"
Result<OwnerWay> parse_way(std::string_view text);

// What a server does with its callers (exports(5)).
enum class Squash {
  none,            // no_root_squash
  root,            // root_squash: uid 0 and gid 0 become nobody, others are trusted
  all_to_root,     // all_squash with anonuid 0: everybody is root, chown works and sticks
  all_to_another,  // all_squash with another uid
  unknown,
};
struct Verdict {
  Squash squash = Squash::unknown;
  Owner owner;  // of all_to_another: whom everything belongs to
};
// "no_root_squash", "root_squash", "all_squash to root", "private to 1000:1000", "unknown".
std::string verdict_text(const Verdict& verdict);
// Kind::refused for an unknown verdict.
Result<OwnerWay> way_for(const Verdict& verdict);

// One --map-owner=FROM=TO: uid:gid each, where a `*` in FROM stands for any id and in TO for the same id.
struct OwnerRule {
  std::optional<std::uint32_t> from_uid, from_gid;
  std::optional<std::uint32_t> to_uid, to_gid;
  bool operator==(const OwnerRule&) const = default;
};
// "0:0=1000:1000", "*:0=*:1000". Kind::usage with the text in it.
Result<OwnerRule> parse_owner_rule(std::string_view text);
std::string render(const OwnerRule& rule);

class OwnerMap {
 public:
  OwnerMap() = default;
  explicit OwnerMap(std::vector<OwnerRule> rules) : rules_(std::move(rules)) {}
  // By the first rule that matches; unchanged if none does.
  Owner apply(Owner owner) const;
  const std::vector<OwnerRule>& rules() const { return rules_; }

 private:
  std::vector<OwnerRule> rules_;
};

// Why `owner` (mapped already) cannot be set on a target of that way, or nothing. For root_squash: uid 0 and
// gid 0; for single_owner: every owner but `single`.
std::optional<std::string> owner_obstacle(OwnerWay way, Owner owner, std::optional<Owner> single);

}  // namespace truenas::mover
