// Symlinks, FIFOs and sockets; and entries whose content stays while their attributes change.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/mover/attributes.h"
#include "lib/mover/copy/access.h"
#include "lib/mover/copy/change.h"
#include "lib/mover/copy/folding.h"
#include "lib/mover/copy/run.h"
#include "lib/mover/identity.h"
#include "lib/mover/xattr.h"

namespace truenas::mover {
namespace {

// The text of a symlink; ENAMETOOLONG when it does not end.
Attempt<std::string> read_link(int directory, const char* name) {
  std::string text(4096, '\0');
  while (true) {
    const ssize_t length = ::readlinkat(directory, name, text.data(), text.size());
    if (length < 0) return Attempt<std::string>::failed(errno);
    if (static_cast<std::size_t>(length) < text.size()) {
      text.resize(static_cast<std::size_t>(length));
      return text;
    }
    if (text.size() > 1024 * 1024) return Attempt<std::string>::failed(ENAMETOOLONG);
    text.resize(text.size() * 4);
  }
}

bool report(Run& run, const FileItem& item, const ChangeFailure& failure) {
  if (!failure.failed()) return true;
  if (failure.number != 0) return fail(run, item.path(), failure.doing, failure.number), false;
  return fail(run, item.path(), "attribute-refused", failure.text), false;
}

// Makes the name free and the directory ready for `maker`.
bool make_room(Run& run, const FileItem& item, const OpenPair& open, const std::optional<Owner>& maker) {
  DirectoryPair& directory = *item.directory;
  if (!prepare(run, directory, open.target->get(), maker)) return false;
  if (item.decision.action != Action::replace) return true;
  return remove_entry(run, directory, open.target->get(), item.name, *item.target);
}

// Extended attributes of what is not opened: FIFOs, sockets, and files whose content stays. false: reported.
bool carry_xattrs(Run& run, const FileItem& item, const OpenPair& open) {
  ExtendedAttributes wanted;
  {
    const Acting reader(run.reader_of(item.source_owner));
    if (!reader.taken()) return fail(run, item.path(), "identity", reader.taken().error().what), false;
    Attempt<ExtendedAttributes> read = read_xattrs(open.source->get(), item.name.c_str());
    if (!read) return fail(run, item.path(), "cannot read its extended attributes", read.number()), false;
    wanted = std::move(*read);
  }
  const Attempt<ExtendedAttributes> there = read_xattrs(open.target->get(), item.name.c_str());
  if (!there)
    return fail(run, item.path(), "cannot read its extended attributes on the target", there.number()), false;
  const XattrFailure failure = write_xattrs(open.target->get(), item.name.c_str(), wanted, *there);
  if (failure.number == 0) return true;
  fail(run, item.path(), "xattr-refused",
       "cannot set the extended attribute " + shown(failure.name) + ": " + errno_text(failure.number));
  return false;
}

// Owner, extended attributes, mode, time: in this order, because chown takes capabilities and setuid away and
// an ACL brings a mode of its own. `now`: what is there. false: reported.
bool bring_attributes(Run& run, const FileItem& item, const OpenPair& open, Attributes now) {
  const int target = open.target->get();
  const char* name = item.name.c_str();
  if (!report(run, item, set_owner(target, name, run.rules.way, item.source.owner, now.owner))) return false;
  if (run.xattrs && item.source.type != FileType::symlink) {
    // Without chown's rights only who may read and write a file may change its attributes, its owner too.
    constexpr std::uint16_t k_open = 0600;
    if (run.rules.way != OwnerWay::chown && (now.mode & k_open) != k_open) {
      const Attempt<void> opened = change_mode(target, name, static_cast<std::uint16_t>(now.mode | k_open));
      if (!opened) return fail(run, item.path(), "cannot set the mode", opened.number()), false;
    }
    if (!carry_xattrs(run, item, open)) return false;
  }
  const Attempt<Attributes> then = read_attributes(target, name);
  if (!then) return fail(run, item.path(), "cannot look at it on the target", then.number()), false;
  // The time in any case: it makes the target's ctime the newer one.
  return report(run, item, set_attributes(target, name, run.rules.way, item.source, *then, true));
}

// The common end: attributes of a name that was just made; it is removed again when they cannot be set.
std::optional<FileKey> complete(Run& run, const FileItem& item, const OpenPair& open) {
  const int target = open.target->get();
  item.directory->touched = true;
  const Attempt<Attributes> made = read_attributes(target, item.name.c_str());
  if (!made) return fail(run, item.path(), "cannot look at what was created", made.number()), std::nullopt;
  if (bring_attributes(run, item, open, *made)) return made->key();
  discard(run, item, target, item.name);
  return std::nullopt;
}

// After a call that makes a name: EEXIST, though the name was free.
std::nullopt_t not_made(Run& run, const FileItem& item, const OpenPair& open, int number) {
  if (number == EEXIST)
    report_taken(run, *item.directory, open.target->get(), item.name);
  else
    fail(run, item.path(), "cannot create", number);
  return std::nullopt;
}

std::optional<Owner> maker_for(const Run& run, const FileItem& item) {
  return maker_of(run.rules.way, item.source.owner, item.directory->owner, item.directory->mode, run.may_act);
}

}  // namespace

std::optional<FileKey> make_symlink(Run& run, const FileItem& item, const OpenPair& open) {
  Attempt<std::string> text = Attempt<std::string>::failed(EIO);
  {
    const Acting reader(run.reader_of(item.source_owner));
    text = read_link(open.source->get(), item.name.c_str());
  }
  if (!text && (text.number() == ENOENT || text.number() == EINVAL))
    return changed(run, item.path(), "it was removed or replaced while being copied"), std::nullopt;
  if (!text) return fail(run, item.path(), "cannot read the link", text.number()), std::nullopt;
  const auto maker = maker_for(run, item);
  if (!make_room(run, item, open, maker)) return std::nullopt;
  const Acting acting(maker);
  if (!acting.taken()) return fail(run, item.path(), "identity", acting.taken().error().what), std::nullopt;
  if (::symlinkat(text->c_str(), open.target->get(), item.name.c_str()) != 0)
    return not_made(run, item, open, errno);
  const auto key = complete(run, item, open);
  if (key) ++run.counters.symlinks;
  return key;
}

std::optional<FileKey> make_special(Run& run, const FileItem& item, const OpenPair& open) {
  const auto maker = maker_for(run, item);
  if (!make_room(run, item, open, maker)) return std::nullopt;
  const Acting acting(maker);
  if (!acting.taken()) return fail(run, item.path(), "identity", acting.taken().error().what), std::nullopt;
  const mode_t type = item.source.type == FileType::fifo ? S_IFIFO : S_IFSOCK;
  const auto mode = static_cast<mode_t>(item.source.mode & 0777);
  if (::mknodat(open.target->get(), item.name.c_str(), type | mode, 0) != 0)
    return not_made(run, item, open, errno);
  const auto key = complete(run, item, open);
  if (key) ++run.counters.special;
  return key;
}

std::optional<FileKey> adjust_entry(Run& run, const FileItem& item, const OpenPair& open) {
  const std::optional<Owner> owner = keeper_of(run.rules.way, item.source.owner);
  if (!prepare(run, *item.directory, open.target->get(), owner)) return std::nullopt;
  const Acting acting(owner);
  if (!acting.taken()) return fail(run, item.path(), "identity", acting.taken().error().what), std::nullopt;
  if (!bring_attributes(run, item, open, *item.target)) return std::nullopt;
  ++run.counters.adjusted;
  return item.target->key();
}

}  // namespace truenas::mover
