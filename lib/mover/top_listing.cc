#include "lib/mover/top_listing.h"

#include <algorithm>

#include "lib/mover/hashing.h"

namespace truenas::mover {

void TopListing::add(std::string_view name, const Attributes& attributes) {
  lines_.push_back({std::string(name), attributes});
}

void TopListing::write(Outcome& outcome) const {
  if (lines_.empty()) return;
  std::vector<const Line*> sorted;
  for (const Line& line : lines_) sorted.push_back(&line);
  std::sort(sorted.begin(), sorted.end(), [](const Line* a, const Line* b) { return a->name < b->name; });
  Hasher all, names;
  for (const Line* line : sorted) {
    const Attributes& attributes = line->attributes;
    for (Hasher* hasher : {&all, &names}) {
      hasher->add_field(line->name);
      hasher->add_number(static_cast<std::uint64_t>(attributes.type));
      hasher->add_number(attributes.owner.uid);
      hasher->add_number(attributes.owner.gid);
      hasher->add_number(attributes.mode);
    }
    all.add_number(static_cast<std::uint64_t>(attributes.mtime.seconds));
    all.add_number(static_cast<std::uint64_t>(attributes.mtime.nanoseconds));
    if (attributes.type != FileType::directory) all.add_number(attributes.size);
  }
  outcome.facts.emplace_back("top", digest_text(all.digest()));
  outcome.facts.emplace_back("top_names", digest_text(names.digest()));
}

}  // namespace truenas::mover
