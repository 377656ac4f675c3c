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

}  // namespace

std::vector<std::string> check_words(const EqualVolumes& equal) {
  std::vector<std::string> words = {"compare"};
  words.insert(words.end(), equal.flags.begin(), equal.flags.end());
  words.push_back("--since=" + equal.target_change);
  words.push_back("--source-since=" + equal.source_change);
  if (equal.entries <= 1) words.emplace_back("--source-was-empty");
  words.emplace_back("--expect-target-mount");
  return words;
}

Result<std::string> judge_check(const std::string& claim, const VolumeState& old, const MoverEnd& end) {
  if (end.exit == 143) return make_error(Kind::interrupted, "interrupted");
  if (end.exit == 3) {
    return make_error(Kind::mismatch,
                      fmt::format("claim {} is not what volume {} was, and nobody has changed it: {}{}",
                                  claim, old.name, end.text, first_findings(end)),
                      {"nothing was given up; the old volume has these files as they were at the move"});
  }
  if (end.exit != 0) {
    return make_error(Kind::stopped,
                      fmt::format("cannot compare volume {} with claim {}: {}{}", old.name, claim, end.text,
                                  first_findings(end)),
                      {"run the same command again",
                       "or give it up on the comparison that was made at the move: --no-check"});
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
