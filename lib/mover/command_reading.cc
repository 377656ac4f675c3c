// probe and scan.
#include "lib/mover/command.h"
#include "lib/mover/command_flags.h"
#include "lib/mover/probe.h"
#include "lib/mover/reading.h"
#include "lib/mover/scan.h"

namespace truenas::mover {
namespace {

constexpr auto k_nothing = Flag::Takes::nothing;
constexpr unsigned k_workers = 8;

std::vector<Flag> with_expectations(std::vector<Flag> flags) {
  for (const Flag& flag : expectation_flags()) flags.push_back(flag);
  return flags;
}

}  // namespace

Outcome failed_outcome(const std::string& mode, const Error& error) {
  Outcome outcome;
  outcome.mode = mode;
  outcome.text = error.what;
  outcome.exit = error.kind == Kind::refused ? 4 : error.kind == Kind::interrupted ? 143 : 1;
  if (error.kind == Kind::usage) outcome.exit = 2;
  return outcome;
}

Result<Outcome> run_probe(const std::vector<std::string>& words, Reporter& reporter) {
  TM_TRY_ASSIGN(const Arguments arguments,
                parse_arguments(words,
                                with_expectations({{"uid", Flag::Takes::value, true},
                                                   {"copy-from"},
                                                   {"copy-from-writable", k_nothing}}),
                                1));
  ProbeOptions options;
  for (const std::string& text : arguments.values("uid")) {
    TM_TRY_ASSIGN(const Owner owner, parse_owner("uid", text));
    if (owner.uid != 0) options.others.push_back(owner);  // root is always tried
  }
  const Result<Root> root = open_root(arguments.paths()[0], expectation_of(arguments, "target"));
  if (!root) return failed_outcome("probe", root.error());
  std::optional<Root> from;
  if (const auto path = arguments.value("copy-from")) {
    Result<Root> opened = open_root(*path, expectation_of(arguments, "source"));
    if (!opened) return failed_outcome("probe", opened.error());
    from = std::move(*opened);
    options.copy_from = &*from;
    options.copy_from_writable = arguments.has("copy-from-writable");
  }
  const Result<ProbeReport> report = probe(*root, options, reporter);
  if (!report) return failed_outcome("probe", report.error());
  return outcome_of(*report);
}

Result<Outcome> run_scan(const std::vector<std::string>& words, Reporter& reporter) {
  TM_TRY_ASSIGN(const Arguments arguments,
                parse_arguments(words,
                                with_expectations({{"source-as-owner", k_nothing},
                                                   {"owners"},
                                                   {"single-owner"},
                                                   {"map-owner", Flag::Takes::value, true},
                                                   {"workers"},
                                                   {"leave-out", Flag::Takes::value, true},
                                                   {"no-xattrs", k_nothing},
                                                   {"since"},
                                                   {"top", k_nothing}}),
                                1));
  ScanOptions options;
  options.as_owner = arguments.has("source-as-owner");
  options.xattrs = !arguments.has("no-xattrs");
  options.top = arguments.has("top");
  TM_TRY_ASSIGN(options.since, parse_moment(arguments, "since"));
  TM_TRY_ASSIGN(const TargetWay way, parse_target_way(arguments));
  options.target_way = way.way;
  options.single_owner = way.single;
  TM_TRY_ASSIGN(options.owners, parse_owner_map(arguments));
  TM_TRY_ASSIGN(options.leave_out, parse_leave_out(arguments));
  TM_TRY_ASSIGN(options.workers, parse_workers(arguments, k_workers));
  const Result<Root> root = open_root(arguments.paths()[0], expectation_of(arguments, "source"));
  if (!root) return failed_outcome("scan", root.error());
  return scan(*root, options, reporter);
}

}  // namespace truenas::mover
