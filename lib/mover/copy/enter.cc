// Entering a directory: opened on the source, opened or made on the target, listed on both sides.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/mover/attributes.h"
#include "lib/mover/copy/access.h"
#include "lib/mover/copy/change.h"
#include "lib/mover/copy/folding.h"
#include "lib/mover/copy/run.h"
#include "lib/mover/identity.h"

namespace truenas::mover {
namespace {

std::shared_ptr<DirectoryPair> new_pair(const ChildTask& task) {
  auto pair = std::make_shared<DirectoryPair>();
  pair->parent = task.parent;
  return pair;
}

// Opens the directory on the source. Nothing: reported.
OpenDirectory open_source(Run& run, const ChildTask& task, DirectoryPair& pair) {
  const auto path = [&] { return task.parent->path_of(task.name); };
  const Attempt<OpenDirectory> parent = run.source_places.open(task.parent->source);
  if (!parent) return fail(run, path(), "cannot open the directory above", parent.number()), nullptr;
  std::optional<Owner> reader;
  if (run.options.source_as_owner) {
    const Acting finding(run.reader_of(task.parent->source_owner));
    const Attempt<Attributes> attributes = read_attributes((*parent)->get(), task.name.c_str());
    if (!attributes) return fail(run, path(), "cannot look at", attributes.number()), nullptr;
    reader = run.reader_of(attributes->owner);
  }
  Attempt<Descriptor> opened =
      open_directory((*parent)->get(), task.name.c_str(), run.reader_of(task.parent->source_owner), reader);
  if (!opened) {
    const int number = opened.number();
    if (number == ENOENT || number == ENOTDIR || number == ELOOP || number == ESTALE)
      return changed(run, path(), "the directory was removed or replaced while being copied"), nullptr;
    return fail(run, path(), "cannot open the directory", number), nullptr;
  }
  const Attempt<Attributes> attributes = read_attributes(opened->get(), run.source_freshness());
  if (!attributes) return fail(run, path(), "cannot look at", attributes.number()), nullptr;
  if (attributes->mount_root || attributes->device != run.source.attributes().device)
    return fail(run, path(), "mounted-inside", "another volume is mounted there; leave it out by its path"),
           nullptr;
  {
    const Acting acting(reader);
    if (is_target_root(run, *attributes, opened->get()))
      return stop_nested(run, path(), "holds-target", "this directory of the source is the target"), nullptr;
  }
  pair.wanted = *attributes;
  pair.source_owner = attributes->owner;
  pair.wanted.owner = run.options.owners.apply(attributes->owner);
  if (const auto obstacle = owner_obstacle(run.rules.way, pair.wanted.owner, run.rules.single_owner))
    return fail(run, path(), "owner-refused", *obstacle), nullptr;
  pair.source = std::make_shared<Place>(task.parent->source, task.name, attributes->key(), reader);
  return run.source_places.put(pair.source, std::move(*opened));
}

// Takes in what the target's directory is, once it is open.
OpenDirectory accept_target(Run& run, const ChildTask& task, DirectoryPair& pair, Descriptor descriptor) {
  const auto path = [&] { return task.parent->path_of(task.name); };
  const Attempt<Attributes> found = read_attributes(descriptor.get());
  if (!found) return fail(run, path(), "cannot look at", found.number()), nullptr;
  if (is_source_root(run, *found, [&] { return read_attributes(descriptor.get(), Freshness::of_server); }))
    return stop_nested(run, path(), "holds-source", "this directory of the target is the source"), nullptr;
  if (found->mount_root || found->device != run.target.attributes().device)
    return fail(run, path(), "mounted-inside", "another volume is mounted there on the target"), nullptr;
  pair.found = *found;
  pair.owner = found->owner;
  pair.mode = found->mode;
  pair.target = std::make_shared<Place>(task.parent->target, task.name, found->key(),
                                        keeper_of(run.rules.way, found->owner));
  return run.target_places.put(pair.target, std::move(descriptor));
}

// Its own owner may not list it: he opens it for himself.
Attempt<Descriptor> open_unreadable(int parent, const char* name, std::optional<Owner> finder,
                                    std::optional<Owner> keeper, std::uint16_t mode) {
  Attempt<Descriptor> handle = Attempt<Descriptor>::failed(EACCES);
  {
    const Acting finding(finder);
    handle = find_entry(parent, name);
  }
  if (!handle) return handle;
  {
    const Acting acting(keeper);
    const Attempt<void> readable = change_mode(*handle, static_cast<std::uint16_t>(mode | 0700));
    if (!readable) return Attempt<Descriptor>::failed(readable.number());
  }
  return open_directory(parent, name, finder, keeper);
}

OpenDirectory open_target(Run& run, const ChildTask& task, DirectoryPair& pair, int parent) {
  const auto path = [&] { return task.parent->path_of(task.name); };
  const char* name = task.name.c_str();
  const std::optional<Owner> finder = keeper_of(run.rules.way, task.parent->owner);
  Attempt<Attributes> attributes = Attempt<Attributes>::failed(EIO);
  {
    const Acting finding(finder);
    attributes = read_attributes(parent, name);
  }
  if (!attributes) return fail(run, path(), "cannot look at it on the target", attributes.number()), nullptr;
  const std::optional<Owner> keeper = keeper_of(run.rules.way, attributes->owner);
  Attempt<Descriptor> opened = open_directory(parent, name, finder, keeper);
  if (!opened && opened.number() == EACCES)
    opened = open_unreadable(parent, name, finder, keeper, attributes->mode);
  if (!opened) return fail(run, path(), "cannot open the target's directory", opened.number()), nullptr;
  return accept_target(run, task, pair, std::move(*opened));
}

OpenDirectory make_target(Run& run, const ChildTask& task, DirectoryPair& pair, int parent, bool foreign) {
  const auto path = [&] { return task.parent->path_of(task.name); };
  DirectoryPair& above = *task.parent;
  const auto maker = maker_of(run.rules.way, pair.wanted.owner, above.owner, above.mode, run.may_act);
  if (!prepare(run, above, parent, maker)) return nullptr;
  const Acting acting(maker);
  if (!acting.taken()) return fail(run, path(), "identity", acting.taken().error().what), nullptr;
  if (::mkdirat(parent, task.name.c_str(), first_mode(run.rules.way, pair.wanted.mode, foreign)) != 0) {
    const int number = errno;  // before the path is put together
    if (number == EEXIST) return report_taken(run, above, parent, task.name), nullptr;
    return fail(run, path(), "cannot make the directory", number), nullptr;
  }
  above.touched = true;
  ++run.counters.made_directories;
  Attempt<Descriptor> opened = open_directory(parent, task.name.c_str());
  // An ACL that it inherited may close it.
  if (!opened && opened.number() == EACCES)
    opened = open_unreadable(parent, task.name.c_str(), maker, maker, 0);
  if (!opened) return fail(run, path(), "cannot open the directory just made", opened.number()), nullptr;
  const Attempt<Attributes> made = read_attributes(opened->get());
  if (!made) return fail(run, path(), "cannot look at", made.number()), nullptr;
  // At once: so its files can be made by the owner, who need not be given them.
  const ChangeFailure failure = set_owner(opened->get(), run.rules.way, pair.wanted.owner, made->owner);
  if (failure.number != 0) return fail(run, path(), failure.doing, failure.number), nullptr;
  if (failure.failed()) return fail(run, path(), "owner-refused", failure.text), nullptr;
  pair.created = true;
  {
    const std::lock_guard lock(above.mutex);
    pair.default_acl = above.default_acl;
  }
  return accept_target(run, task, pair, std::move(*opened));
}

bool holds_foreign(const Run& run, const DirectoryPair& pair, const Listing& names, int source) {
  for (std::size_t at = 0; at < names.size(); ++at) {
    const Attempt<Attributes> entry = names.attributes(at, source);
    if (entry.ok() && run.options.owners.apply(entry->owner) != pair.wanted.owner) return true;
  }
  return false;
}

// true: the pair has begun, its own share of `pending` is still held.
bool begin(Worker& worker, const ChildTask& task, const std::shared_ptr<DirectoryPair>& pair) {
  Run& run = worker.run;
  const auto path = [&] { return task.parent->path_of(task.name); };
  const OpenDirectory source = open_source(run, task, *pair);
  if (!source) return false;
  Attempt<Listing> source_names = Attempt<Listing>::failed(EIO);
  {
    const Acting reader(run.reader_of(pair->source_owner));
    source_names = Listing::read(source->get(), run.source_freshness());
  }
  if (!source_names) return fail(run, path(), "cannot list", source_names.number()), false;
  const Attempt<OpenDirectory> parent = run.target_places.open(task.parent->target);
  if (!parent)
    return fail(run, path(), "cannot open the directory above on the target", parent.number()), false;
  const bool ask = !task.exists && run.rules.way == OwnerWay::as_owner;
  const bool foreign = ask && holds_foreign(run, *pair, *source_names, source->get());
  const OpenDirectory target = task.exists ? open_target(run, task, *pair, (*parent)->get())
                                           : make_target(run, task, *pair, (*parent)->get(), foreign);
  if (!target) return false;
  const bool again = !run.options.again.empty() && run.options.again.contains(path());
  pair->xattrs = task.exists && xattrs_suspect(pair->wanted, pair->found, run.rules, again);
  if (!task.exists) {
    merge(worker, pair, OpenPair{source, target}, *source_names, nullptr);
    return true;
  }
  Attempt<Listing> target_names = Attempt<Listing>::failed(EIO);
  {
    const Acting keeper(keeper_of(run.rules.way, pair->owner));
    target_names = Listing::read(target->get());
  }
  if (!target_names) return fail(run, path(), "cannot list on the target", target_names.number()), false;
  merge(worker, pair, OpenPair{source, target}, *source_names, &*target_names);
  return true;
}

}  // namespace

void enter(Worker& worker, const ChildTask& task) {
  const std::shared_ptr<DirectoryPair> pair = new_pair(task);
  if (!begin(worker, task, pair)) return finish(worker.run, task.parent);
  worker.run.work.add_children(pair);
  finish(worker.run, pair);
}

}  // namespace truenas::mover
