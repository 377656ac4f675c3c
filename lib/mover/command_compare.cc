// compare, manifest and check.
#include "lib/mover/command.h"
#include "lib/mover/command_flags.h"
#include "lib/mover/compare.h"
#include "lib/mover/manifest.h"
#include "lib/mover/reading.h"

namespace truenas::mover {
namespace {

constexpr auto k_nothing = Flag::Takes::nothing;
constexpr unsigned k_workers = 8;

const Flag k_map_owner = {"map-owner", Flag::Takes::value, true};
const Flag k_leave_out = {"leave-out", Flag::Takes::value, true};

std::vector<Flag> with_expectations(std::vector<Flag> flags) {
  for (const Flag& flag : expectation_flags()) flags.push_back(flag);
  return flags;
}

// What was done since the two were equal; both moments or neither, and no manifest of what is in use.
Result<std::optional<Since>> parse_since(const Arguments& arguments) {
  TM_TRY_ASSIGN(const auto target, parse_moment(arguments, "since"));
  TM_TRY_ASSIGN(const auto source, parse_moment(arguments, "source-since"));
  if (target.has_value() != source.has_value()) {
    return make_error(Kind::usage, "--since and --source-since belong together");
  }
  if (!target) return std::optional<Since>();
  if (arguments.has("manifest")) return make_error(Kind::usage, "--manifest does not go with --since");
  return std::optional(Since{*source, *target});
}

}  // namespace

Result<Outcome> run_compare(const std::vector<std::string>& words, Reporter& reporter) {
  TM_TRY_ASSIGN(const Arguments arguments, parse_arguments(words,
                                                           with_expectations({{"owners"},
                                                                              {"single-owner"},
                                                                              k_map_owner,
                                                                              k_leave_out,
                                                                              {"list"},
                                                                              {"manifest"},
                                                                              {"workers"},
                                                                              {"source-as-owner", k_nothing},
                                                                              {"since"},
                                                                              {"source-since"},
                                                                              {"source-was-empty", k_nothing},
                                                                              {"accept-removed", k_nothing},
                                                                              {"no-xattrs", k_nothing}}),
                                                           2));
  CompareOptions options;
  TM_TRY_ASSIGN(options.since, parse_since(arguments));
  options.accept_removed = arguments.has("accept-removed");
  options.source_was_empty = arguments.has("source-was-empty");
  TM_TRY_ASSIGN(const TargetWay way, parse_target_way(arguments));
  // Only where root may chown does the volume's own directory take what it is given.
  options.root_carried = way.way.value_or(OwnerWay::chown) == OwnerWay::chown;
  options.target_as_owner = way.way == OwnerWay::as_owner;
  options.source_as_owner = arguments.has("source-as-owner");
  TM_TRY_ASSIGN(options.owners, parse_owner_map(arguments));
  TM_TRY_ASSIGN(options.leave_out, parse_leave_out(arguments));
  TM_TRY_ASSIGN(options.workers, parse_workers(arguments, k_workers));
  options.xattrs = !arguments.has("no-xattrs");
  options.list_file = arguments.value("list").value_or("");
  options.manifest_file = arguments.value("manifest").value_or("");
  const Result<Root> source = open_root(arguments.paths()[0], expectation_of(arguments, "source"));
  if (!source) return failed_outcome("compare", source.error());
  const Result<Root> target = open_root(arguments.paths()[1], expectation_of(arguments, "target"));
  if (!target) return failed_outcome("compare", target.error());
  return compare(*source, *target, options, reporter);
}

Result<Outcome> run_manifest(const std::vector<std::string>& words, Reporter& reporter) {
  TM_TRY_ASSIGN(const Arguments arguments, parse_arguments(words,
                                                           with_expectations({k_map_owner,
                                                                              k_leave_out,
                                                                              {"output"},
                                                                              {"workers"},
                                                                              {"source-as-owner", k_nothing},
                                                                              {"root-not-carried", k_nothing},
                                                                              {"no-xattrs", k_nothing}}),
                                                           1));
  ManifestOptions options;
  TM_TRY_ASSIGN(options.owners, parse_owner_map(arguments));
  TM_TRY_ASSIGN(options.leave_out, parse_leave_out(arguments));
  TM_TRY_ASSIGN(options.workers, parse_workers(arguments, k_workers));
  options.as_owner = arguments.has("source-as-owner");
  options.root_carried = !arguments.has("root-not-carried");
  options.xattrs = !arguments.has("no-xattrs");
  options.output = arguments.value("output").value_or("-");
  const Result<Root> root = open_root(arguments.paths()[0], expectation_of(arguments, "source"));
  if (!root) return failed_outcome("manifest", root.error());
  return write_manifest(*root, options, reporter);
}

Result<Outcome> run_check(const std::vector<std::string>& words, Reporter& reporter) {
  TM_TRY_ASSIGN(
      const Arguments arguments,
      parse_arguments(
          words, with_expectations({{"workers"}, {"source-as-owner", k_nothing}, {"unmapped", k_nothing}}),
          2));
  CheckOptions options;
  TM_TRY_ASSIGN(options.workers, parse_workers(arguments, k_workers));
  options.as_owner = arguments.has("source-as-owner");
  options.unmapped = arguments.has("unmapped");
  const Result<Root> root = open_root(arguments.paths()[0], expectation_of(arguments, "source"));
  if (!root) return failed_outcome("check", root.error());
  return check_manifest(*root, arguments.paths()[1], options, reporter);
}

}  // namespace truenas::mover
