// Removing what the source does not have. Walks by descriptors with a stack of its own, however deep; never
// enters a mount, another file system or the source.

#include <fcntl.h>
#include <unistd.h>

#include "lib/base/interrupt.h"
#include "lib/mover/attributes.h"
#include "lib/mover/copy/access.h"
#include "lib/mover/copy/change.h"
#include "lib/mover/copy/run.h"
#include "lib/mover/identity.h"

namespace truenas::mover {
namespace {

// One directory that is being emptied.
struct Level {
  std::shared_ptr<Place> place;
  Owner owner;
  PendingNames directories;
};

// The directory that holds another, and who may look into it.
struct OpenAbove {
  int directory;
  std::optional<Owner> finder;
};

// A name on the target; its path is put together only when it has to be told.
struct Where {
  const Place& directory;
  std::string_view name;
  std::string path() const { return directory.path_of(name); }
};

bool may_go(Run& run, const Where& where, const Attributes& attributes) {
  const bool other = attributes.mount_root || attributes.device != run.target.attributes().device;
  if (attributes.key() != run.source.attributes().key() && !other) return true;
  fail(run, where.path(), "not-removed", other ? "something is mounted there" : "it is the source");
  return false;
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

// Opens a directory that is going to be removed; its owner opens it wide first where root may not do that.
// `finder`: who may look into the directory above.
Attempt<Descriptor> open_to_empty(const Run& run, int parent, const char* name, std::optional<Owner> finder,
                                  const Attributes& attributes) {
  const auto keeper = keeper_of(run.rules.way, attributes.owner);
  if (run.rules.way != OwnerWay::chown && (attributes.mode & 0777) != 0777) {
    Attempt<Descriptor> handle = Attempt<Descriptor>::failed(EACCES);
    {
      const Acting finding(finder);
      handle = find_entry(parent, name);
    }
    if (!handle) return handle;
    const Acting acting(keeper);
    const Attempt<void> wide = change_mode(*handle, 0777);
    if (!wide) return Attempt<Descriptor>::failed(wide.number());
  }
  return open_directory(parent, name, finder, keeper);
}

// Opens `name`, removes all files in it and notes its directories.
bool enter_level(Run& run, const std::shared_ptr<Place>& above, const OpenAbove& parent,
                 const std::string& name, const Attributes& attributes, std::vector<Level>& levels) {
  const Where where{*above, name};
  if (!may_go(run, where, attributes)) return false;
  Attempt<Descriptor> opened = open_to_empty(run, parent.directory, name.c_str(), parent.finder, attributes);
  if (!opened) return fail(run, where.path(), "cannot open to remove it", opened.number()), false;
  const auto keeper = keeper_of(run.rules.way, attributes.owner);
  Level level{std::make_shared<Place>(above, name, attributes.key(), keeper), attributes.owner, {}};
  const OpenDirectory directory = run.target_places.put(level.place, std::move(*opened));
  const Acting acting(keeper);
  const Attempt<Listing> listing = Listing::read(directory->get());
  if (!listing) return fail(run, where.path(), "cannot list", listing.number()), false;
  for (std::size_t at = 0; at < listing->size(); ++at) {
    if (interrupted()) return false;
    const Attempt<Attributes> entry = listing->attributes(at, directory->get());
    if (!entry && entry.number() == ENOENT) continue;
    const Where inside{*level.place, listing->name(at)};
    if (!entry) return fail(run, inside.path(), "cannot look at", entry.number()), false;
    const auto actor = remover_of(run.rules.way, attributes.owner, entry->owner);
    if (entry->type == FileType::directory)
      level.directories.add(listing->name(at), true);
    else if (!unlink_at(run, inside, directory->get(), listing->name(at).data(), actor, 0))
      return false;
  }
  levels.push_back(std::move(level));
  return true;
}

// The next directory of the last level is entered.
bool go_down(Run& run, std::vector<Level>& levels) {
  const std::shared_ptr<Place> above = levels.back().place;
  const std::string name = levels.back().directories.take().first;
  const Attempt<OpenDirectory> parent = run.target_places.open(above);
  if (!parent) return fail(run, above->path(), "cannot open again", parent.number()), false;
  const OpenAbove open{(*parent)->get(), keeper_of(run.rules.way, levels.back().owner)};
  Attempt<Attributes> attributes = Attempt<Attributes>::failed(EIO);
  {
    const Acting acting(open.finder);
    attributes = read_attributes((*parent)->get(), name.c_str());
  }
  if (!attributes && attributes.number() == ENOENT) return true;
  if (!attributes) return fail(run, above->path_of(name), "cannot look at", attributes.number()), false;
  return enter_level(run, above, open, name, *attributes, levels);
}

bool remove_directory(Run& run, DirectoryPair& pair, int target, const std::string& name,
                      const Attributes& attributes) {
  std::vector<Level> levels;
  const OpenAbove open{target, keeper_of(run.rules.way, pair.owner)};
  if (!enter_level(run, pair.target, open, name, attributes, levels)) return false;
  while (!levels.empty()) {
    if (interrupted()) return false;
    if (!levels.back().directories.empty()) {
      if (!go_down(run, levels)) return false;
      continue;
    }
    const Level level = std::move(levels.back());
    levels.pop_back();
    run.target_places.leave(level.place);
    const bool top = levels.empty();
    const Attempt<OpenDirectory> parent = run.target_places.open(top ? pair.target : levels.back().place);
    if (!parent) return fail(run, level.place->path(), "cannot open above it", parent.number()), false;
    const auto actor = remover_of(run.rules.way, top ? pair.owner : levels.back().owner, level.owner);
    if (!unlink_at(run, Where{*level.place->parent(), level.place->name()}, (*parent)->get(),
                   level.place->name().c_str(), actor, AT_REMOVEDIR))
      return false;
  }
  return true;
}

}  // namespace

bool remove_entry(Run& run, DirectoryPair& pair, int target, const std::string& name,
                  const Attributes& attributes) {
  const Where where{*pair.target, name};
  if (!may_go(run, where, attributes)) return false;
  const auto actor = remover_of(run.rules.way, pair.owner, attributes.owner);
  if (!prepare(run, pair, target, actor)) return false;
  pair.touched = true;
  if (attributes.type == FileType::directory) return remove_directory(run, pair, target, name, attributes);
  return unlink_at(run, where, target, name.c_str(), actor, 0);
}

}  // namespace truenas::mover
