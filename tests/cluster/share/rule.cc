#include "tests/cluster/share/rule.h"

#include <charconv>

namespace truenas::share {
namespace {

constexpr std::size_t k_groups_of_auth_sys = 16;

bool parse_id(std::string_view text, std::string_view key, unsigned& id) {
  if (!text.starts_with(key)) return false;
  text.remove_prefix(key.size());
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, id);
  return !text.empty() && error == std::errc() && stop == end && id != static_cast<unsigned>(-1);
}

bool apply_option(std::string_view option, Rule& rule) {
  if (option == "no_root_squash") {
    rule.squash = Rule::Squash::none;
  } else if (option == "root_squash") {
    rule.squash = Rule::Squash::root;
  } else if (option == "all_squash") {
    rule.squash = Rule::Squash::all;
  } else {
    return parse_id(option, "anonuid=", rule.anonymous_uid) ||
           parse_id(option, "anongid=", rule.anonymous_gid);
  }
  return true;
}

}  // namespace

std::optional<Rule> parse_rule(std::string_view text) {
  Rule rule;
  while (true) {
    const std::size_t comma = text.find(',');
    if (!apply_option(text.substr(0, comma), rule)) return std::nullopt;
    if (comma == std::string_view::npos) return rule;
    text.remove_prefix(comma + 1);
  }
}

Identity squash(const Rule& rule, Identity sender) {
  if (rule.squash == Rule::Squash::all) return {rule.anonymous_uid, rule.anonymous_gid, {}};
  if (sender.groups.size() > k_groups_of_auth_sys) sender.groups.resize(k_groups_of_auth_sys);
  if (rule.squash == Rule::Squash::none) return sender;
  if (sender.uid == 0) sender.uid = rule.anonymous_uid;
  if (sender.gid == 0) sender.gid = rule.anonymous_gid;
  for (gid_t& group : sender.groups) {
    if (group == 0) group = rule.anonymous_gid;
  }
  return sender;
}

}  // namespace truenas::share
