// Regular files: read, made anew, and complete only when everything else is done: the mtime that makes a file
// look copied is set last, and what is there already stays until the new one can take its place.

#include <fcntl.h>
#include <unistd.h>

#include "lib/mover/attributes.h"
#include "lib/mover/copy/access.h"
#include "lib/mover/copy/change.h"
#include "lib/mover/copy/folding.h"
#include "lib/mover/copy/run.h"
#include "lib/mover/copy/tick.h"
#include "lib/mover/identity.h"
#include "lib/mover/xattr.h"

namespace truenas::mover {
namespace {

constexpr std::uint64_t k_look_again_from = 1 << 20;  // larger files take long enough to ask the server again

// One file on its way.
struct Passage {
  Worker& worker;
  const FileItem& item;
  const OpenPair& open;
  Descriptor from{};
  Attributes source{};  // as it was when opened, owner mapped
  ExtendedAttributes xattrs{};
  std::string name{};  // to write under: the file's own, or a partial one
  Descriptor to{};
  Attributes made{};
  bool no_room = false;  // for the old one and the new one: not reported

  bool partial() const { return name != item.name; }
};

// What is wrong with the target; that there is no room beside an old copy is not the end.
bool fail_writing(Passage& passage, std::string_view doing, int number) {
  passage.no_room = passage.partial() && (number == ENOSPC || number == EDQUOT);
  if (!passage.no_room) fail(passage.worker.run, passage.item.path(), doing, number);
  return false;
}

Attempt<Descriptor> open_source(const FileItem& item, int directory) {
  constexpr int k_flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  int number = ::openat(directory, item.name.c_str(), k_flags | O_NOATIME);
  if (number < 0 && errno == EPERM) number = ::openat(directory, item.name.c_str(), k_flags);
  if (number < 0) return Attempt<Descriptor>::failed(errno);
  return Descriptor(number);
}

void report_gone(Run& run, const FileItem& item, int number) {
  if (number == ENOENT || number == ESTALE || number == ELOOP)
    changed(run, item.path(), "it was removed or replaced while being copied");
  else
    fail(run, item.path(), "cannot open for reading", number);
}

// Opens the source and learns what it is now.
bool open_from(Passage& passage) {
  Run& run = passage.worker.run;
  const FileItem& item = passage.item;
  const Acting reader(run.reader_of(item.source_owner));
  if (!reader.taken()) return fail(run, item.path(), "identity", reader.taken().error().what), false;
  Attempt<Descriptor> from = open_source(item, passage.open.source->get());
  if (!from) return report_gone(run, item, from.number()), false;
  passage.from = std::move(*from);
  const Attempt<Attributes> now =
      read_settled(passage.from.get(), Sighting{item.source.ctime, item.directory->listed});
  if (!now) return fail(run, item.path(), "cannot look at", now.number()), false;
  if (now->type != FileType::regular)
    return changed(run, item.path(), "it became a " + std::string(type_name(now->type))), false;
  passage.source = *now;
  passage.source.owner = run.options.owners.apply(now->owner);
  if (const auto obstacle = owner_obstacle(run.rules.way, passage.source.owner, run.rules.single_owner))
    return fail(run, item.path(), "owner-refused", *obstacle), false;
  if (!run.xattrs) return true;
  Attempt<ExtendedAttributes> xattrs = read_xattrs(passage.from.get());
  if (!xattrs) return fail(run, item.path(), "cannot read its extended attributes", xattrs.number()), false;
  passage.xattrs = std::move(*xattrs);
  return true;
}

// O_EXCL only where names may fold: over NFS it costs a SETATTR more. What is checked instead: it is empty
// and has one name.
bool open_to(Passage& passage) {
  Run& run = passage.worker.run;
  const FileItem& item = passage.item;
  const bool plain = passage.xattrs.empty() && !item.directory->default_acl;
  const auto mode = static_cast<mode_t>((passage.source.mode & 0777) | (plain ? 0 : 0600));
  const int exclusive = item.directory->exclusive && !passage.partial() ? O_EXCL : 0;
  constexpr int k_flags = O_CREAT | O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  passage.to =
      Descriptor(::openat(passage.open.target->get(), passage.name.c_str(), k_flags | exclusive, mode));
  if (!passage.to.is_open()) {
    const int number = errno;  // before the path is put together
    if (number != EEXIST) return fail_writing(passage, "cannot create", number);
    return report_taken(run, *item.directory, passage.open.target->get(), item.name), false;
  }
  item.directory->touched = true;
  const Attempt<Attributes> made = read_attributes(passage.to.get());
  if (!made) return fail(run, item.path(), "cannot look at what was created", made.number()), false;
  passage.made = *made;
  if (made->type == FileType::regular && made->size == 0 && made->links == 1) return true;
  passage.to = Descriptor();  // somebody else's file: it must not be removed either
  return fail(run, item.path(), "appeared", "somebody else made a file of this name on the target"), false;
}

bool move_content(Passage& passage) {
  Run& run = passage.worker.run;
  ContentMover mover(run.ways, run.bandwidth, run.reader_of(passage.item.source_owner));
  const ContentOutcome outcome =
      mover.move(passage.from.get(), passage.to.get(), passage.source, passage.worker.buffer);
  run.counters.bytes += outcome.written;
  run.counters.bytes_by_server += outcome.by_range;
  if (outcome.stopped) return false;
  const auto path = [&] { return passage.item.path(); };
  if (outcome.shrank) return changed(run, path(), "it became shorter while being copied"), false;
  if (outcome.number != 0 && outcome.reading) return fail(run, path(), "cannot read", outcome.number), false;
  if (outcome.number != 0) return fail_writing(passage, "cannot write", outcome.number);
  // A server may refuse bytes only when they reach it: that must show before the mtime says that all is
  // there. And on a disk of this machine the mtime must not outlive the bytes when the power fails: each file
  // by itself, since a flush for many would mean to keep them all open, or to come back to them by name.
  if (passage.source.size > 0 && ::fdatasync(passage.to.get()) != 0)
    return fail_writing(passage, "cannot write", errno);
  return true;
}

bool carry_xattrs(Passage& passage) {
  Run& run = passage.worker.run;
  if (passage.xattrs.empty() && !passage.item.directory->default_acl) return true;
  const auto path = [&] { return passage.item.path(); };
  const ChangeFailure owner =
      set_owner(passage.to.get(), run.rules.way, passage.source.owner, passage.made.owner);
  if (owner.number != 0) return fail(run, path(), owner.doing, owner.number), false;
  if (owner.failed()) return fail(run, path(), "owner-refused", owner.text), false;
  const Attempt<ExtendedAttributes> there = read_xattrs(passage.to.get());
  if (!there) return fail(run, path(), "cannot read what it inherited", there.number()), false;
  const XattrFailure failure = write_xattrs(passage.to.get(), passage.xattrs, *there);
  if (failure.number == ENOSPC || failure.number == EDQUOT)
    return fail_writing(passage, "cannot set an extended attribute", failure.number);
  if (failure.number != 0)
    return fail(run, path(), "xattr-refused",
                "cannot set the extended attribute " + shown(failure.name) + ": " +
                    errno_text(failure.number)),
           false;
  const Attempt<Attributes> made = read_attributes(passage.to.get());
  if (!made) return fail(run, path(), "cannot look at what was created", made.number()), false;
  passage.made = *made;
  return true;
}

// Whether the source is still what it was when it was opened.
bool still_the_same(Passage& passage) {
  Run& run = passage.worker.run;
  const bool ask = run.options.final_pass || passage.source.size >= k_look_again_from;
  const Attempt<Attributes> now =
      read_attributes(passage.from.get(), ask ? Freshness::of_server : Freshness::usual);
  if (now.ok() && now->size == passage.source.size && now->mtime == passage.source.mtime &&
      now->ctime == passage.source.ctime)
    return true;
  return changed(run, passage.item.path(), "it changed while being copied"), false;
}

bool complete(Passage& passage) {
  Run& run = passage.worker.run;
  const auto path = [&] { return passage.item.path(); };
  const ChangeFailure failure =
      set_attributes(passage.to.get(), run.rules.way, passage.source, passage.made, true);
  if (failure.number != 0) return fail(run, path(), failure.doing, failure.number), false;
  if (failure.failed()) return fail(run, path(), "attribute-refused", failure.text), false;
  const Attempt<Attributes> end = read_attributes(passage.to.get());
  if (!end.ok() || end->size != passage.source.size)
    return fail(run, path(), "size", "its size on the target is not the source's"), false;
  const Attempt<void> closed = passage.to.close();
  if (!closed) return fail_writing(passage, "cannot write", closed.number());
  return true;
}

// Writes all of it under passage.name. false: reported, or no_room; then nothing stays.
bool write_all(Passage& passage, std::optional<Owner> maker) {
  const Acting acting(maker);
  if (!acting.taken())
    return fail(passage.worker.run, passage.item.path(), "identity", acting.taken().error().what), false;
  if (!open_to(passage)) return false;
  if (move_content(passage) && carry_xattrs(passage) && still_the_same(passage) && complete(passage))
    return true;
  discard(passage.worker.run, passage.item, passage.open.target->get(), passage.name);
  return false;
}

}  // namespace

std::optional<FileKey> make_file(Worker& worker, const FileItem& item, const OpenPair& open) {
  Run& run = worker.run;
  Passage passage{worker, item, open};
  if (!open_from(passage)) return std::nullopt;
  DirectoryPair& directory = *item.directory;
  const auto maker =
      maker_of(run.rules.way, passage.source.owner, directory.owner, directory.mode, run.may_act);
  if (!prepare(run, directory, open.target->get(), maker)) return std::nullopt;
  const bool replaces = item.decision.action == Action::replace;
  passage.name = replaces ? run.partials.next() : item.name;
  bool made = write_all(passage, maker);
  if (made && replaces) made = take_the_place(run, item, open.target->get(), passage.name, maker);
  if (passage.no_room) {
    // The copy of before is given up rather than the file: the source still has it.
    if (!remove_entry(run, directory, open.target->get(), item.name, *item.target)) return std::nullopt;
    passage.name = item.name;
    passage.no_room = false;
    made = write_all(passage, maker);
  }
  if (!made) return std::nullopt;
  ++run.counters.files;
  return passage.made.key();
}

}  // namespace truenas::mover
