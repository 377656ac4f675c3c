// Removing single entries.

#include "lib/mover/copy/remove.h"

#include <unistd.h>

#include "lib/mover/attributes.h"
#include "lib/mover/copy/access.h"
#include "lib/mover/identity.h"

namespace truenas::mover {

bool may_go(Run& run, const Where& where, const OpenAbove& parent, const Attributes& seen) {
  if (seen.mount_root || seen.device != run.target.attributes().device)
    return fail(run, where.path(), "not-removed", "something is mounted there"), false;
  if (seen.type != FileType::directory) return true;
  const bool source = is_source_root(run, seen, [&] {
    const Acting finding(parent.finder);
    return read_attributes(parent.directory, std::string(where.name).c_str(), Freshness::of_server);
  });
  if (!source) return true;
  return stop_nested(run, where.path(), "holds-source", "this directory of the target is the source"), false;
}

bool unlink_at(Run& run, const Where& where, int directory, const char* name, std::optional<Owner> actor,
               int flags) {
  const Acting acting(actor);
  if (!acting.taken()) return fail(run, where.path(), "identity", acting.taken().error().what), false;
  if (::unlinkat(directory, name, flags) == 0) {
    ++run.counters.removed;
    return true;
  }
  const int number = errno;
  if (number == ENOENT) return true;
  return fail(run, where.path(), "cannot remove", number), false;
}

bool is_same(const Attributes& now, const Attributes& seen) {
  return now.key() == seen.key() && now.type == seen.type && !now.mount_root;
}

void report_replaced(Run& run, const Where& where) {
  fail(run, where.path(), "not-removed", "something else has its name on the target now");
}

bool remove_file(Run& run, const Where& where, const OpenAbove& above, std::optional<Owner> actor,
                 const Attributes& seen) {
  const std::string name(where.name);
  {
    const Acting finding(above.finder);
    const Attempt<Attributes> now = read_attributes(above.directory, name.c_str());
    if (!now && now.number() == ENOENT) return true;
    if (!now) return fail(run, where.path(), "cannot look at it to remove it", now.number()), false;
    if (!is_same(*now, seen)) return report_replaced(run, where), false;
    run.links.remember(*now);
  }
  return unlink_at(run, where, above.directory, name.c_str(), actor, 0);
}

bool remove_entry(Run& run, DirectoryPair& pair, int target, const std::string& name,
                  const Attributes& attributes) {
  const Where where{*pair.target, name};
  const OpenAbove above{target, keeper_of(run.rules.way, pair.owner)};
  if (!may_go(run, where, above, attributes)) return false;
  const auto actor = remover_of(run.rules.way, pair.owner, attributes.owner);
  if (!prepare(run, pair, target, actor)) return false;
  pair.touched = true;
  if (attributes.type == FileType::directory) return remove_tree(run, pair, target, name, attributes);
  return remove_file(run, where, above, actor, attributes);
}

void discard(Run& run, const FileItem& item, int target, const std::string& name) {
  if (::unlinkat(target, name.c_str(), 0) == 0 || errno == ENOENT) return;
  const int number = errno;  // before the path is put together
  fail(run, item.directory->path_of(name), "cannot remove what is not complete", number);
}

}  // namespace truenas::mover
