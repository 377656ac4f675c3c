#include "lib/mover/compare/deeds.h"

#include "lib/base/interrupt.h"
#include "lib/mover/attempt.h"
#include "lib/mover/path_text.h"

namespace truenas::mover {
namespace {

constexpr std::size_t k_named = 5;
constexpr std::size_t k_shown_path = 200;  // bytes
constexpr std::uint64_t k_many = 20;       // entries that anybody may remove
constexpr std::uint64_t k_share = 10;      // … or one in so many
constexpr const char* k_mostly = "mostly-removed";

bool is_at_top(const std::string& path) {
  return path.find('/') == std::string::npos;
}

}  // namespace

bool Deeds::refuse(const std::string& path, const char* kind, const std::string& text) {
  reporter_.finding({Severity::error, kind, path, text, 1});
  return false;
}

bool Deeds::note(const std::string& path, Deed deed, const GoneTree* below) {
  const std::string size = below == nullptr ? "" : " (" + size_text(*below) + ")";
  ++deeds_[static_cast<std::size_t>(deed)];
  gone_ += (deed == Deed::removed ? 1 : 0) + (below == nullptr ? 0 : below->entries);
  if (below != nullptr && !options_.accept_removed && is_at_top(path) && below->entries > k_many) {
    ++mostly_removed_;
    return refuse(path, k_mostly,
                  "the directory is not on the target any more, with all that was in it" + size);
  }
  const std::string name = deed_name(deed);
  reporter_.finding({Severity::note, name + "-since", path, name + " since it was copied" + size, 1});
  if (named_.size() < k_named) {
    named_.push_back(name + " " + std::string(cut_utf8(shown(path), k_shown_path)) + size);
  }
  return true;
}

// Of few entries it takes more than half.
bool Deeds::is_mostly_removed(std::uint64_t entries) const {
  const std::uint64_t before = entries + gone_;
  return (gone_ > k_many && gone_ > before / k_share) || gone_ > before / 2;
}

bool Deeds::believe(std::uint64_t entries) {
  if (!options_.since || interrupted() || count() == 0) return true;
  if (entries <= 1 && count(Deed::removed) != 0) {
    return refuse(".", "missing", "nothing of the source is on the target any more");
  }
  if (entries <= 1 && !options_.source_was_empty) {
    return refuse(".", "extraneous", "nothing of what the source had is there any more");
  }
  if (options_.accept_removed || !is_mostly_removed(entries)) return true;
  ++mostly_removed_;
  return refuse(".", k_mostly,
                entries_text(gone_) + " of " + entries_text(entries + gone_) +
                    " of the source are not on the target any more");
}

void Deeds::write(Outcome& outcome) const {
  if (!options_.since) return;
  for (const Deed deed : {Deed::changed, Deed::removed, Deed::added}) {
    outcome.counts.emplace_back(std::string(deed_name(deed)) + "_since", count(deed));
  }
  outcome.counts.emplace_back("removed_since_entries", gone_);
  outcome.counts.emplace_back("mostly_removed", mostly_removed_);
  for (std::size_t i = 0; i < named_.size(); ++i) {
    outcome.facts.emplace_back("since." + std::to_string(i + 1), named_[i]);
  }
}

}  // namespace truenas::mover
