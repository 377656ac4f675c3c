#include "lib/mover/copy/folding.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "lib/mover/attributes.h"
#include "lib/mover/copy/access.h"
#include "lib/mover/identity.h"

namespace truenas::mover {
namespace {

// FNV-1a of the name in lower case; nothing when it is not ASCII. Two that only collide cost an RPC, no more.
std::optional<std::uint64_t> folded(std::string_view name) {
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char letter : name) {
    auto byte = static_cast<unsigned char>(letter);
    if (byte >= 0x80) return std::nullopt;
    if (byte >= 'A' && byte <= 'Z') byte = static_cast<unsigned char>(byte + ('a' - 'A'));
    hash = (hash ^ byte) * 1099511628211ULL;
  }
  return hash;
}

}  // namespace

bool names_may_fold(const Listing& source, const Listing* target) {
  std::vector<std::uint64_t> hashes;
  hashes.reserve(source.size() + (target == nullptr ? 0 : target->size()));
  bool beyond_ascii = false;
  const auto add = [&](std::string_view name) {
    const std::optional<std::uint64_t> hash = folded(name);
    beyond_ascii = beyond_ascii || !hash;
    hashes.push_back(hash.value_or(0));
  };
  for (std::size_t at = 0; at < source.size(); ++at) add(source.name(at));
  for (std::size_t there = 0, at = 0; target != nullptr && there < target->size(); ++there) {
    const std::string_view name = target->name(there);
    while (at < source.size() && source.name(at) < name) ++at;
    if (at == source.size() || source.name(at) != name) add(name);
  }
  if (hashes.size() < 2) return false;
  if (beyond_ascii) return true;
  std::sort(hashes.begin(), hashes.end());
  return std::adjacent_find(hashes.begin(), hashes.end()) != hashes.end();
}

void report_taken(Run& run, const DirectoryPair& directory, int target, const std::string& name) {
  const Acting keeper(keeper_of(run.rules.way, directory.owner));
  const Attempt<Attributes> taken = read_attributes(target, name.c_str(), Freshness::of_server);
  const Attempt<Listing> names = Listing::read(target);
  for (std::size_t at = 0; taken.ok() && names.ok() && at < names->size(); ++at) {
    const Attempt<Attributes> other = names->attributes(at, target);
    if (names->name(at) == name || !other.ok() || other->key() != taken->key()) continue;
    return fail(run, directory.path_of(name), "names-collide",
                "the target takes this name and " + shown(directory.path_of(names->name(at))) +
                    " for one: it ignores case or normalises names, and cannot hold both");
  }
  fail(run, directory.path_of(name), "appeared", "somebody else made something of this name on the target");
}

}  // namespace truenas::mover
