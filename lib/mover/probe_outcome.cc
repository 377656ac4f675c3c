#include <string>

#include "lib/mover/attempt.h"
#include "lib/mover/probe.h"

namespace truenas::mover {
namespace {

// The value of `name` in a comma-separated option list; "" when it is not there.
std::string mount_option(std::string_view options, std::string_view name) {
  for (std::size_t start = 0; start <= options.size();) {
    const std::size_t end = std::min(options.find(',', start), options.size());
    const std::string_view option = options.substr(start, end - start);
    if (option.size() > name.size() && option.starts_with(name) && option[name.size()] == '=') {
      return std::string(option.substr(name.size() + 1));
    }
    start = end + 1;
  }
  return {};
}

std::string tried(const std::optional<int>& error) {
  if (!error) return "not tried";
  return *error == 0 ? "ok" : errno_text(*error);
}

// "as 1000:1000: ok" … one fact a question, keys "<uid>.<question>".
void add_identity(Outcome& outcome, const IdentityObservation& seen) {
  const std::string start = std::to_string(seen.as.uid) + ".";
  const auto fact = [&](const char* key, std::string value) {
    outcome.facts.emplace_back(start + key, std::move(value));
  };
  fact("makes_directory_here", tried(seen.here_error));
  fact("create", tried(seen.create_error));
  if (seen.created_as) fact("created_as", owner_text(*seen.created_as));
  fact("chown", tried(seen.chown_error));
  if (seen.after_chown) {
    fact("after_chown",
         owner_text(*seen.after_chown) + (seen.after_chown == seen.chown_to ? " (as asked)" : ""));
  }
  fact("stat", tried(seen.stat_error));
  fact("rename", tried(seen.rename_error));
  fact("link", tried(seen.link_error));
  fact("fsync", tried(seen.fsync_error));
  fact("xattr", tried(seen.xattr_error));
  fact("lock", tried(seen.lock_error));
  if (seen.create_microseconds != 0) {
    outcome.counts.emplace_back(start + "create_microseconds", seen.create_microseconds);
  }
}

}  // namespace

Outcome outcome_of(const ProbeReport& report) {
  Outcome outcome;
  outcome.mode = "probe";
  outcome.text = report.verdict.text() + ": " + report.verdict.why;
  outcome.facts.emplace_back("verdict", report.verdict.text());
  const Verdict copying = report.verdict.for_copying();
  outcome.facts.emplace_back("squash", verdict_text(copying));
  if (const Result<OwnerWay> way = way_for(copying)) {
    outcome.facts.emplace_back("way", std::string(way_name(*way)));
  }
  if (report.verdict.owner) outcome.facts.emplace_back("owner", owner_text(*report.verdict.owner));
  outcome.facts.emplace_back("directory_owner", owner_text(report.seen.directory_owner));
  outcome.facts.emplace_back("directory_mode", mode_text(report.seen.directory_mode));
  outcome.facts.emplace_back("filesystem", report.mount.type);
  outcome.facts.emplace_back("source", report.mount.source);
  outcome.facts.emplace_back("nfs_version", mount_option(report.mount.options, "vers"));
  outcome.facts.emplace_back("mount_options", report.mount.options);
  outcome.facts.emplace_back("copy_file_range", report.copying.text);
  outcome.facts.emplace_back("copy_by_server", report.copying.by_server);
  outcome.counts.emplace_back("bytes_total", report.bytes_total);
  outcome.counts.emplace_back("bytes_free", report.bytes_free);
  outcome.counts.emplace_back("inodes_total", report.inodes_total);
  outcome.counts.emplace_back("inodes_free", report.inodes_free);
  outcome.counts.emplace_back("left_overs_removed", report.left_overs_removed);
  if (report.seen.root) add_identity(outcome, *report.seen.root);
  for (const IdentityObservation& other : report.seen.others) add_identity(outcome, other);
  return outcome;
}

}  // namespace truenas::mover
