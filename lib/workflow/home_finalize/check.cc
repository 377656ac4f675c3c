#include "lib/workflow/home_finalize/check.h"

#include <fmt/format.h>

#include "lib/base/text.h"

namespace truenas::workflow {
namespace {

using storage::MoverEnd;

constexpr std::size_t k_named = 5;

std::string first_findings(const MoverEnd& end) {
  std::vector<std::string> named;
  for (const json::Value& finding : end.result.items_at("/first")) {
    if (named.size() == k_named) break;
    named.push_back(fmt::format("{}: {} ({})", quote(finding.text_at("/path")), finding.text_at("/text"),
                                finding.text_at("/kind")));
  }
  return named.empty() ? "" : ": " + join(named, "; ");
}

// The command that was run.
std::string command_of(const FinalizeOptions& options) {
  std::string command = fmt::format("kubectl truenas-migrate workspaces {} -n {} --finalize",
                                    shell_word(options.claim), shell_word(options.ns));
  if (options.delete_data) command += " --delete-data";
  for (const std::string& id : options.accepted) command += " --accept=" + shell_word(id);
  return command;
}

std::string without_check(const FinalizeOptions& options) {
  return "or give the old volume up on the comparison that was made at the move: " + command_of(options) +
         " --no-check";
}

Error different(const FinalizeOptions& options, const VolumeState& old, const MoverEnd& end) {
  const std::int64_t removed = end.result.integer_at("/counts/mostly_removed");
  const bool only_removed = removed != 0 && removed == end.result.integer_at("/counts/differing");
  if (only_removed) {
    return make_error(
        Kind::mismatch,
        fmt::format(
            "[{}] claim {} has lost much of what volume {} has, as if its volume had been emptied: {}{}",
            k_removed_since, options.full_name(), old.name, end.text, first_findings(end)),
        {"nothing was given up",
         fmt::format("if its user has removed that: {} --accept={}", command_of(options), k_removed_since)});
  }
  return make_error(
      Kind::mismatch,
      fmt::format("claim {} is not what volume {} is, and what its user did on it since the move does not "
                  "explain that: damage, loss, or somebody wrote to the old volume: {}{}",
                  options.full_name(), old.name, end.text, first_findings(end)),
      {"nothing was given up; once the files that are named are put right: " + command_of(options),
       without_check(options)});
}

}  // namespace

std::vector<std::string> check_words(const EqualVolumes& equal, const FinalizeOptions& options) {
  std::vector<std::string> words = {"compare"};
  words.insert(words.end(), equal.flags.begin(), equal.flags.end());
  words.push_back("--since=" + equal.target_change);
  words.push_back("--source-since=" + equal.source_change);
  if (equal.entries <= 1) words.emplace_back("--source-was-empty");
  if (options.accepted.contains(k_removed_since)) words.emplace_back("--accept-removed");
  words.emplace_back("--expect-target-mount");
  return words;
}

Result<std::string> judge_check(const FinalizeOptions& options, const VolumeState& old, const MoverEnd& end) {
  if (end.exit == 143) return make_error(Kind::interrupted, "interrupted");
  if (end.exit == 3) return different(options, old, end);
  if (end.exit != 0) {
    return make_error(Kind::stopped,
                      fmt::format("cannot compare volume {} with claim {}: {}{}", old.name,
                                  options.full_name(), end.text, first_findings(end)),
                      {"run the same command again: " + command_of(options), without_check(options)});
  }
  const auto count = [&](const char* what) {
    return end.result.integer_at(fmt::format("/counts/{}_since", what));
  };
  const std::int64_t changed = count("changed"), removed = count("removed"), added = count("added");
  if (changed + removed + added == 0) return end.text;
  return fmt::format("{} ({} changed, {} removed, {} added since the move by its user: {})", end.text,
                     changed, removed, added, storage::since_text(end.result));
}

}  // namespace truenas::workflow
