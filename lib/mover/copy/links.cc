// Hard links: the first name of a group brings the content, the others are linked to it.

#include <fcntl.h>
#include <unistd.h>

#include "lib/mover/attributes.h"
#include "lib/mover/copy/access.h"
#include "lib/mover/copy/run.h"
#include "lib/mover/identity.h"

namespace truenas::mover {
namespace {

// Where `actor` may not look into the leader's directory: through a descriptor got by that directory's owner.
int link_by_descriptor(const Run& run, const LinkLeader& leader, int leader_directory, int target,
                       const char* name) {
  Attempt<Descriptor> handle = Attempt<Descriptor>::failed(EACCES);
  {
    const Acting keeper(keeper_of(run.rules.way, leader.directory->owner));
    handle = find_entry(leader_directory, leader.name.c_str());
  }
  if (!handle) return handle.number();
  return ::linkat(AT_FDCWD, handle_path(*handle).c_str(), target, name, AT_SYMLINK_FOLLOW) == 0 ? 0 : errno;
}

bool link_to(Run& run, const FileItem& item, const OpenPair& open, const LinkLeader& leader) {
  if (item.target && item.target->key() == leader.key) {
    ++run.counters.kept;
    return true;
  }
  DirectoryPair& directory = *item.directory;
  const int target = open.target->get();
  const auto maker = maker_of(run.rules.way, item.source.owner, directory.owner, directory.mode, run.may_act);
  if (!prepare(run, directory, target, maker)) return false;
  if (item.target && !remove_entry(run, directory, target, item.name, *item.target)) return false;
  const Attempt<OpenDirectory> leader_directory = run.target_places.open(leader.directory->target);
  if (!leader_directory)
    return fail(run, item.path(), "cannot open the directory of the file to link to",
                leader_directory.number()),
           false;
  const Acting acting(maker);
  if (!acting.taken()) return fail(run, item.path(), "identity", acting.taken().error().what), false;
  const int from = (*leader_directory)->get();
  int number = ::linkat(from, leader.name.c_str(), target, item.name.c_str(), 0) == 0 ? 0 : errno;
  if (number == EACCES) number = link_by_descriptor(run, leader, from, target, item.name.c_str());
  if (number != 0)
    return fail(run, item.path(), "cannot link to " + shown(leader.directory->path_of(leader.name)), number),
           false;
  directory.touched = true;
  const Attempt<Attributes> made = read_attributes(target, item.name.c_str());
  if (!made.ok() || made->key() != leader.key) {
    discard(run, item, target, item.name);
    return fail(run, item.path(), "appeared", "the file to link to was replaced on the target"), false;
  }
  ++run.counters.links;
  return true;
}

}  // namespace

bool make_linked(Worker& worker, FileItem& item, const OpenPair& open) {
  Run& run = worker.run;
  const FileKey group = item.source.key();
  const LinkGroups::Arrival arrival = run.links.arrive(item);
  switch (arrival.role) {
    case LinkGroups::Role::waiting:
      return false;
    case LinkGroups::Role::member:
      link_to(run, item, open, *arrival.leader);
      return true;
    case LinkGroups::Role::leader:
      break;
  }
  const bool stays = item.decision.action == Action::keep || item.decision.action == Action::adjust;
  if (stays && item.target->links > 1 && !run.links.claim(item.target->key(), group))
    item.decision.action = Action::replace;
  const std::optional<FileKey> key = make_entry(worker, item, open);
  FileBatch waiting =
      key ? run.links.lead(group, LinkLeader{item.directory, item.name, *key}) : run.links.abandon(group);
  if (!waiting.empty()) run.work.add(std::move(waiting));
  return true;
}

}  // namespace truenas::mover
