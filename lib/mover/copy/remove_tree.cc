// Removing directories that the source does not have. Walks by descriptors with a stack of its own, however
// deep; never enters a mount, another file system or the source. What is left out stays, and the directories
// above it.

#include <fcntl.h>
#include <unistd.h>

#include "lib/base/interrupt.h"
#include "lib/mover/attributes.h"
#include "lib/mover/copy/access.h"
#include "lib/mover/copy/change.h"
#include "lib/mover/copy/left_out.h"
#include "lib/mover/copy/remove.h"
#include "lib/mover/identity.h"

namespace truenas::mover {
namespace {

// One directory that is being emptied.
struct Level {
  std::shared_ptr<Place> place;
  Attributes found;  // before it was opened wide
  PendingNames directories{};
  bool stays = false;  // for something in it that is left out
};

// Opens a directory that is going to be removed; its owner opens it wide first where root may not do that.
// `finder`: who may look into the directory above. ESTALE: it is not the one that was seen.
Attempt<Descriptor> open_to_empty(const Run& run, int parent, const char* name, std::optional<Owner> finder,
                                  const Attributes& seen) {
  const auto keeper = keeper_of(run.rules.way, seen.owner);
  if (run.rules.way != OwnerWay::chown && (seen.mode & 0777) != k_wide) {
    Attempt<Descriptor> handle = Attempt<Descriptor>::failed(EACCES);
    {
      const Acting finding(finder);
      handle = find_entry(parent, name);
    }
    if (!handle) return handle;
    const Attempt<Attributes> found = read_attributes(handle->get());
    if (!found) return Attempt<Descriptor>::failed(found.number());
    if (!is_same(*found, seen)) return Attempt<Descriptor>::failed(ESTALE);
    const Acting acting(keeper);
    const Attempt<void> wide = change_mode(*handle, k_wide);
    if (!wide) return Attempt<Descriptor>::failed(wide.number());
  }
  Attempt<Descriptor> opened = open_directory(parent, name, finder, keeper);
  if (!opened) return opened;
  const Attempt<Attributes> now = read_attributes(opened->get());
  if (!now) return Attempt<Descriptor>::failed(now.number());
  if (!is_same(*now, seen)) return Attempt<Descriptor>::failed(ESTALE);
  return opened;
}

// Removes the files in an open directory and notes its directories.
bool empty_level(Run& run, Level& level, int directory) {
  const auto keeper = keeper_of(run.rules.way, level.found.owner);
  const Acting acting(keeper);
  const Attempt<Listing> listing = Listing::read(directory);
  if (!listing) return fail(run, level.place->path(), "cannot list", listing.number()), false;
  const bool watched = holds_left_out(run.options.leave_out, level.place->path());
  for (std::size_t at = 0; at < listing->size(); ++at) {
    if (interrupted()) return false;
    const Where inside{*level.place, listing->name(at)};
    if (watched && run.options.leave_out.contains(inside.path())) {
      level.stays = true;
      continue;
    }
    const Attempt<Attributes> entry = listing->attributes(at, directory);
    if (!entry && entry.number() == ENOENT) continue;
    if (!entry) return fail(run, inside.path(), "cannot look at", entry.number()), false;
    const auto actor = remover_of(run.rules.way, level.found.owner, entry->owner);
    if (entry->type == FileType::directory)
      level.directories.add(listing->name(at), true);
    else if (!remove_file(run, inside, OpenAbove{directory, keeper}, actor, *entry))
      return false;
  }
  return true;
}

// Opens `name`, removes all files in it and notes its directories.
bool enter_level(Run& run, const std::shared_ptr<Place>& above, const OpenAbove& parent,
                 const std::string& name, const Attributes& seen, std::vector<Level>& levels) {
  const Where where{*above, name};
  if (!may_go(run, where, parent, seen)) return false;
  Attempt<Descriptor> opened = open_to_empty(run, parent.directory, name.c_str(), parent.finder, seen);
  if (!opened) {
    const int number = opened.number();
    if (number == ESTALE || number == ENOTDIR || number == ELOOP) return report_replaced(run, where), false;
    return fail(run, where.path(), "cannot open to remove it", number), false;
  }
  const auto keeper = keeper_of(run.rules.way, seen.owner);
  levels.push_back(Level{std::make_shared<Place>(above, name, seen.key(), keeper), seen});
  const OpenDirectory directory = run.target_places.put(levels.back().place, std::move(*opened));
  return empty_level(run, levels.back(), directory->get());
}

// The next directory of the last level is entered.
bool go_down(Run& run, std::vector<Level>& levels) {
  const std::shared_ptr<Place> above = levels.back().place;
  const std::string name = levels.back().directories.take().first;
  const Attempt<OpenDirectory> parent = run.target_places.open(above);
  if (!parent) return fail(run, above->path(), "cannot open again", parent.number()), false;
  const OpenAbove open{(*parent)->get(), keeper_of(run.rules.way, levels.back().found.owner)};
  Attempt<Attributes> seen = Attempt<Attributes>::failed(EIO);
  {
    const Acting acting(open.finder);
    seen = read_attributes((*parent)->get(), name.c_str());
  }
  if (!seen && seen.number() == ENOENT) return true;
  if (!seen) return fail(run, above->path_of(name), "cannot look at", seen.number()), false;
  if (seen->type != FileType::directory) return report_replaced(run, Where{*above, name}), false;
  return enter_level(run, above, open, name, *seen, levels);
}

// A directory that was to be removed stays as it was.
void put_back(Run& run, const Level& level) {
  if (run.rules.way == OwnerWay::chown || (level.found.mode & 0777) == k_wide) return;
  give_mode(run, level.place, level.found.owner, level.found.mode, "cannot set its mode back");
}

// The directory at the end of `levels` is empty but for what stays: it goes, or keeps those above, too.
bool leave_level(Run& run, const DirectoryPair& pair, std::vector<Level>& levels) {
  const Level level = std::move(levels.back());
  levels.pop_back();
  const bool top = levels.empty();
  if (level.stays) {
    put_back(run, level);
    if (!top) levels.back().stays = true;
  }
  run.target_places.leave(level.place);
  if (level.stays) return true;
  const Attempt<OpenDirectory> parent = run.target_places.open(top ? pair.target : levels.back().place);
  if (!parent) return fail(run, level.place->path(), "cannot open above it", parent.number()), false;
  const auto actor =
      remover_of(run.rules.way, top ? pair.owner : levels.back().found.owner, level.found.owner);
  if (unlink_at(run, Where{*level.place->parent(), level.place->name()}, (*parent)->get(),
                level.place->name().c_str(), actor, AT_REMOVEDIR))
    return true;
  return put_back(run, level), false;
}

// Directories that are not removed after all do not stay wide open.
bool give_up(Run& run, std::vector<Level>& levels) {
  for (; !levels.empty(); levels.pop_back()) put_back(run, levels.back());
  return false;
}

}  // namespace

bool remove_tree(Run& run, DirectoryPair& pair, int target, const std::string& name, const Attributes& seen) {
  std::vector<Level> levels;
  const OpenAbove open{target, keeper_of(run.rules.way, pair.owner)};
  if (!enter_level(run, pair.target, open, name, seen, levels)) return give_up(run, levels);
  bool stays = false;
  while (!levels.empty()) {
    if (interrupted()) return give_up(run, levels);
    if (!levels.back().directories.empty()) {
      if (!go_down(run, levels)) return give_up(run, levels);
      continue;
    }
    stays = levels.back().stays;
    if (!leave_level(run, pair, levels)) return give_up(run, levels);
  }
  if (!stays) return true;
  run.reporter.finding(Finding{Severity::warning, "left-out", pair.target->path_of(name),
                               "it stays on the target, because something below it is left out"});
  return false;
}

}  // namespace truenas::mover
