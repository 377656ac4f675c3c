// copy.
#include <fcntl.h>
#include <unistd.h>

#include "lib/mover/command.h"
#include "lib/mover/command_flags.h"
#include "lib/mover/copy.h"

namespace truenas::mover {
namespace {

constexpr auto k_nothing = Flag::Takes::nothing;

// Paths, each ended by NUL, as `compare --list` writes them.
Result<std::set<std::string>> read_list(const std::string& file) {
  const Descriptor list(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!list.is_open()) return system_error(errno, "cannot read", file);
  std::string text;
  std::string block(65536, '\0');
  while (true) {
    const ssize_t got = ::read(list.get(), block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error(errno, "cannot read", file);
    if (got == 0) break;
    text.append(block, 0, static_cast<std::size_t>(got));
  }
  std::set<std::string> paths;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\0', at);
    if (end == std::string::npos || end == at) {
      return make_error(Kind::format, shown(file) + " is no list of paths, each ended by a NUL");
    }
    paths.insert(text.substr(at, end - at));
    at = end + 1;
  }
  return paths;
}

// "50", "50K", "50M", "50G" bytes a second, in powers of 1024.
Result<std::uint64_t> parse_rate(std::string text) {
  std::uint64_t unit = 1;
  constexpr std::string_view k_units = "KMG";
  if (!text.empty() && k_units.find(text.back()) != std::string_view::npos) {
    unit = std::uint64_t{1} << 10 * (k_units.find(text.back()) + 1);
    text.pop_back();
  }
  TM_TRY_ASSIGN(const std::uint64_t number, parse_number("bandwidth-limit", text, UINT64_MAX / unit));
  return number * unit;
}

// What is removed is decided by what the source does not have: that must be known to be the source, and not
// the empty directory that the volume should be mounted on.
Result<void> check_delete(const CopyOptions& options) {
  if (!options.remove_extraneous) return {};
  const auto missing = [](const char* flag, const char* path) {
    return make_error(Kind::usage, std::string("--delete needs ") + flag + ": nothing is removed unless " +
                                       path + " is known to be a mounted volume");
  };
  if (!options.source_mount.mount_point) return missing("--expect-source-mount", "SRC");
  if (!options.target_mount.mount_point) return missing("--expect-target-mount", "DST");
  return {};
}

Result<CopyOptions> parse_options(const Arguments& arguments) {
  CopyOptions options;
  TM_TRY_ASSIGN(const TargetWay way, parse_target_way(arguments));
  if (!way.way) {
    return make_error(Kind::usage, "--owners=chown|as-owner|single-owner is missing: it is what probe says");
  }
  options.way = *way.way;
  options.single_owner = way.single;
  TM_TRY_ASSIGN(options.owners, parse_owner_map(arguments));
  TM_TRY_ASSIGN(options.leave_out, parse_leave_out(arguments));
  TM_TRY_ASSIGN(options.workers, parse_workers(arguments, 0));
  if (const auto text = arguments.value("bandwidth-limit")) {
    TM_TRY_ASSIGN(options.bandwidth, parse_rate(*text));
  }
  options.source_as_owner = arguments.has("source-as-owner");
  options.remove_extraneous = arguments.has("delete");
  options.accept_empty_source = arguments.has("accept-empty-source");
  options.accept_unrelated = arguments.has("accept-unrelated");
  options.final_pass = arguments.has("final");
  options.ctime_counts = !arguments.has("ignore-ctime");
  options.xattrs = !arguments.has("no-xattrs");
  options.source_mount = expectation_of(arguments, "source");
  options.target_mount = expectation_of(arguments, "target");
  TM_TRY(check_delete(options));
  return options;
}

}  // namespace

Result<Outcome> run_copy(const std::vector<std::string>& words, Reporter& reporter) {
  std::vector<Flag> flags = {{"owners"},
                             {"single-owner"},
                             {"map-owner", Flag::Takes::value, true},
                             {"leave-out", Flag::Takes::value, true},
                             {"again"},
                             {"workers"},
                             {"bandwidth-limit"},
                             {"source-as-owner", k_nothing},
                             {"delete", k_nothing},
                             {"accept-empty-source", k_nothing},
                             {"accept-unrelated", k_nothing},
                             {"final", k_nothing},
                             {"ignore-ctime", k_nothing},
                             {"no-xattrs", k_nothing}};
  for (const Flag& flag : expectation_flags()) flags.push_back(flag);
  TM_TRY_ASSIGN(const Arguments arguments, parse_arguments(words, flags, 2));
  TM_TRY_ASSIGN(CopyOptions options, parse_options(arguments));
  if (const auto file = arguments.value("again")) {
    Result<std::set<std::string>> paths = read_list(*file);
    if (!paths) return failed_outcome("copy", paths.error());
    options.again = std::move(*paths);
  }
  return copy(arguments.paths()[0], arguments.paths()[1], options, reporter);
}

}  // namespace truenas::mover
