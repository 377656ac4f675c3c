// A file that was written beside the one that it replaces takes its place: at no moment is there neither.

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>

#include "lib/mover/attributes.h"
#include "lib/mover/copy/access.h"
#include "lib/mover/copy/remove.h"
#include "lib/mover/identity.h"

namespace truenas::mover {
namespace {

int rename_as(std::optional<Owner> actor, int target, const std::string& from, const std::string& to) {
  const Acting acting(actor);
  if (!acting.taken()) return EPERM;
  return ::renameat(target, from.c_str(), target, to.c_str()) == 0 ? 0 : errno;
}

// Whether the name still leads to what the decision saw, or to nothing. false: reported.
bool still_there(Run& run, const FileItem& item, int target) {
  const Acting finding(keeper_of(run.rules.way, item.directory->owner));
  const Attempt<Attributes> now = read_attributes(target, item.name.c_str());
  if (!now && now.number() == ENOENT) return true;
  if (!now) return fail(run, item.path(), "cannot look at it to replace it", now.number()), false;
  if (!is_same(*now, *item.target))
    return report_replaced(run, Where{*item.directory->target, item.name}), false;
  run.links.remember(*now);
  return true;
}

bool exchange(Run& run, const FileItem& item, int target, const std::string& partial,
              std::optional<Owner> maker) {
  DirectoryPair& directory = *item.directory;
  const std::optional<Owner> actor = remover_of(run.rules.way, directory.owner, item.target->owner);
  if (!prepare(run, directory, target, actor) || !still_there(run, item, target)) return false;
  int number = rename_as(actor, target, partial, item.name);
  // In a sticky directory of root's each may only move what is his.
  if ((number == EACCES || number == EPERM) && actor != maker) {
    if (!remove_entry(run, directory, target, item.name, *item.target)) return false;
    number = rename_as(maker, target, partial, item.name);
  }
  if (number != 0) fail(run, item.path(), "cannot replace", number);
  return number == 0;
}

}  // namespace

bool take_the_place(Run& run, const FileItem& item, int target, const std::string& partial,
                    std::optional<Owner> maker) {
  item.directory->touched = true;
  if (exchange(run, item, target, partial, maker)) return true;
  const Acting acting(maker);
  discard(run, item, target, partial);
  return false;
}

}  // namespace truenas::mover
