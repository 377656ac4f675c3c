#include "lib/mover/newer_entries.h"

#include "lib/mover/attempt.h"
#include "lib/mover/path_text.h"

namespace truenas::mover {
namespace {

constexpr std::size_t k_named = 5;
constexpr std::size_t k_shown_path = 200;  // bytes

}  // namespace

void NewerEntries::add(const std::string& path, const Attributes& attributes) {
  if (attributes.type == FileType::directory) {
    ++directories_;
    return;
  }
  ++others_;
  if (attributes.type == FileType::regular) bytes_ += attributes.size;
  if (named_.size() < k_named) named_.emplace_back(cut_utf8(shown(path), k_shown_path));
}

void NewerEntries::write(Outcome& outcome) const {
  outcome.counts.emplace_back("changed_since", others_);
  outcome.counts.emplace_back("changed_since_bytes", bytes_);
  outcome.counts.emplace_back("directories_since", directories_);
  for (std::size_t i = 0; i < named_.size(); ++i) {
    outcome.facts.emplace_back("since." + std::to_string(i + 1), named_[i]);
  }
}

}  // namespace truenas::mover
