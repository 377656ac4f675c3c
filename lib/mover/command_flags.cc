#include "lib/mover/command_flags.h"

#include "lib/mover/path_text.h"

namespace truenas::mover {
namespace {

constexpr std::uint64_t k_greatest_id = 0xfffffffe;  // (uid_t)-1 is nobody's
constexpr std::uint64_t k_most_workers = 256;
constexpr std::uint64_t k_last_second = 1ull << 62;

}  // namespace

Result<Owner> parse_owner(std::string_view flag, std::string_view text) {
  const std::size_t colon = text.find(':');
  TM_TRY_ASSIGN(const std::uint64_t uid, parse_number(flag, text.substr(0, colon), k_greatest_id));
  std::uint64_t gid = uid;
  if (colon != std::string_view::npos) {
    TM_TRY_ASSIGN(gid, parse_number(flag, text.substr(colon + 1), k_greatest_id));
  }
  return Owner{static_cast<std::uint32_t>(uid), static_cast<std::uint32_t>(gid)};
}

Result<OwnerMap> parse_owner_map(const Arguments& arguments) {
  std::vector<OwnerRule> rules;
  for (const std::string& text : arguments.values("map-owner")) {
    TM_TRY_ASSIGN(const OwnerRule rule, parse_owner_rule(text));
    rules.push_back(rule);
  }
  return OwnerMap(std::move(rules));
}

Result<std::set<std::string>> parse_leave_out(const Arguments& arguments) {
  std::set<std::string> paths;
  for (std::string path : arguments.values("leave-out")) {
    while (path.starts_with("./")) path.erase(0, 2);
    while (path.size() > 1 && path.ends_with('/')) path.pop_back();
    if (path.empty() || path == "." || path.front() == '/') {
      return make_error(Kind::usage, "--leave-out needs a path relative to the volume's root");
    }
    paths.insert(std::move(path));
  }
  return paths;
}

Result<unsigned> parse_workers(const Arguments& arguments, unsigned standard) {
  const std::optional<std::string> text = arguments.value("workers");
  if (!text) return standard;
  TM_TRY_ASSIGN(const std::uint64_t number, parse_number("workers", *text, k_most_workers));
  if (number == 0) return make_error(Kind::usage, "--workers needs at least 1");
  return static_cast<unsigned>(number);
}

Result<std::optional<Timestamp>> parse_moment(const Arguments& arguments, std::string_view flag) {
  const std::optional<std::string> text = arguments.value(flag);
  if (!text) return std::optional<Timestamp>();
  const std::size_t point = text->find('.');
  Timestamp moment;
  TM_TRY_ASSIGN(const std::uint64_t seconds,
                parse_number(flag, std::string_view(*text).substr(0, point), k_last_second));
  moment.seconds = static_cast<std::int64_t>(seconds);
  if (point == std::string::npos) return std::optional(moment);
  const std::string_view fraction = std::string_view(*text).substr(point + 1);
  if (fraction.size() != 9) {
    return make_error(Kind::usage, "--" + std::string(flag) + " wants SECONDS or SECONDS.NANOSECONDS");
  }
  TM_TRY_ASSIGN(const std::uint64_t nanoseconds, parse_number(flag, fraction, 999999999));
  moment.nanoseconds = static_cast<std::uint32_t>(nanoseconds);
  return std::optional(moment);
}

Result<TargetWay> parse_target_way(const Arguments& arguments) {
  TargetWay result;
  if (const auto text = arguments.value("owners")) {
    TM_TRY_ASSIGN(const OwnerWay way, parse_way(*text));
    result.way = way;
  }
  if (const auto text = arguments.value("single-owner")) {
    TM_TRY_ASSIGN(const Owner single, parse_owner("single-owner", *text));
    result.single = single;
  }
  if ((result.way == OwnerWay::single_owner) != result.single.has_value()) {
    return make_error(Kind::usage, "--owners=single-owner and --single-owner=UID:GID belong together");
  }
  return result;
}

MountExpectation expectation_of(const Arguments& arguments, std::string_view side) {
  const std::string start = "expect-" + std::string(side) + "-";
  MountExpectation expectation;
  expectation.mount_point = arguments.has(start + "mount");
  expectation.type = arguments.value(start + "type").value_or("");
  expectation.source = arguments.value(start + "source").value_or("");
  return expectation;
}

std::vector<Flag> expectation_flags() {
  constexpr auto k_nothing = Flag::Takes::nothing;
  return {{"expect-source-mount", k_nothing}, {"expect-source-type"}, {"expect-source-source"},
          {"expect-target-mount", k_nothing}, {"expect-target-type"}, {"expect-target-source"}};
}

}  // namespace truenas::mover
