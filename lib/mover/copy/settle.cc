// A directory's own attributes: opened wide before names are made in it by others, brought to what the source
// has when all below it is done.

#include <sys/stat.h>
#include <sys/xattr.h>

#include "lib/mover/attributes.h"
#include "lib/mover/copy/access.h"
#include "lib/mover/copy/change.h"
#include "lib/mover/copy/run.h"
#include "lib/mover/identity.h"
#include "lib/mover/xattr.h"

namespace truenas::mover {
namespace {

bool widen(Run& run, DirectoryPair& pair, int target) {
  run.opened.add(pair.shared_from_this());
  const Acting keeper(keeper_of(run.rules.way, pair.owner));
  if (!keeper.taken()) return fail(run, pair.target->path(), "identity", keeper.taken().error().what), false;
  if (::fchmod(target, k_wide) != 0) {
    const int number = errno;  // before the path is put together
    return fail(run, pair.target->path(), "cannot open the directory wide", number), false;
  }
  pair.mode = k_wide;
  return true;
}

// The root belongs to the class: under squash nobody may change it, and the plan says so beforehand.
void report_root(Run& run, const std::string& text) {
  ++run.counters.expected;
  run.reporter.finding(Finding{Severity::expected, "root-attributes", ".",
                               "the volume's own root directory stays as the class made it: " + text});
}

void report(Run& run, const DirectoryPair& pair, const ChangeFailure& failure) {
  const auto path = [&] { return pair.target->path(); };
  const std::string text =
      failure.number == 0 ? failure.text : failure.doing + ": " + errno_text(failure.number);
  const bool root = !pair.parent;
  if (root && run.rules.way != OwnerWay::chown) return report_root(run, text);
  if (failure.number != 0) return fail(run, path(), failure.doing, failure.number);
  fail(run, path(), "attribute-refused", text);
}

// false: reported.
bool carry_xattrs(Run& run, const DirectoryPair& pair, int source, int target) {
  if (!run.xattrs) return true;
  const auto path = [&] { return pair.target->path(); };
  ExtendedAttributes wanted;
  {
    const Acting reader(run.reader_of(pair.source_owner));  // not the target's keeper
    if (!reader.taken()) return fail(run, path(), "identity", reader.taken().error().what), false;
    const Attempt<ExtendedAttributes> read = read_xattrs(source);
    if (!read) return fail(run, path(), "cannot read its extended attributes", read.number()), false;
    wanted = *read;
  }
  if (wanted.empty() && pair.created && !pair.default_acl) return true;
  const Attempt<ExtendedAttributes> there = read_xattrs(target);
  if (!there) return fail(run, path(), "cannot read its extended attributes", there.number()), false;
  const XattrFailure failure = write_xattrs(target, wanted, *there);
  if (failure.number == 0) return true;
  const std::string text =
      "cannot set the extended attribute " + shown(failure.name) + ": " + errno_text(failure.number);
  if (!pair.parent && run.rules.way != OwnerWay::chown) return report_root(run, text), true;
  return fail(run, path(), "xattr-refused", text), false;
}

// Whether this run has, or may have, changed the directory. Also when only the ctime looked suspect: setting
// the mtime makes the target's ctime the newer one.
bool was_handled(const DirectoryPair& pair) {
  return pair.created || pair.touched || pair.xattrs || pair.mode != pair.wanted.mode;
}

// Names that came or went since the directory was merged, whatever its times say.
void look_again(Run& run, const DirectoryPair& pair) {
  const auto path = [&] { return pair.source->path(); };
  const Attempt<OpenDirectory> source = run.source_places.open(pair.source);
  if (!source) return fail(run, path(), "cannot open it again", source.number());
  const Acting reader(run.reader_of(pair.source_owner));
  const Attempt<NameDigest> now = digest_names((*source)->get());
  if (!now) return fail(run, path(), "cannot list it again", now.number());
  const Attempt<Attributes> attributes = read_attributes((*source)->get(), Freshness::of_server);
  if (!attributes.ok() || *now != pair.names || attributes->mtime != pair.wanted.mtime)
    changed(run, path(), "names were made or removed in it while it was being copied");
}

// What could not be finished, and is reported, does not stay wide open at least. Acts as the keeper.
void close_again(const DirectoryPair& pair, int target) {
  if (pair.parent && pair.mode == k_wide && pair.wanted.mode != k_wide)
    (void)::fchmod(target, pair.wanted.mode);
}

}  // namespace

bool prepare(Run& run, DirectoryPair& pair, int target, std::optional<Owner> actor) {
  if (pair.prepared && !must_widen(run.rules.way, actor, pair.owner, pair.mode)) return true;
  const std::lock_guard lock(pair.mutex);
  if (!pair.prepared && run.xattrs) {
    const Acting keeper(keeper_of(run.rules.way, pair.owner));
    pair.default_acl = ::fgetxattr(target, "system.posix_acl_default", nullptr, 0) >= 0;
  }
  pair.prepared = true;
  if (!must_widen(run.rules.way, actor, pair.owner, pair.mode)) return true;
  return widen(run, pair, target);
}

void settle(Run& run, DirectoryPair& pair) {
  ++run.counters.directories;
  run.opened.forget(pair);
  if (!pair.parent) remove_nonce(run);
  if (run.options.final_pass) look_again(run, pair);
  if (!was_handled(pair) && !attributes_differ(pair.wanted, pair.found)) return;
  const auto path = [&] { return pair.target->path(); };
  const Attempt<OpenDirectory> source = run.source_places.open(pair.source);
  const Attempt<OpenDirectory> target = run.target_places.open(pair.target);
  if (!source || !target)
    return fail(run, path(), "cannot open it again", source ? target.number() : source.number());
  const Attempt<Attributes> now = read_attributes((*source)->get(), Freshness::usual);
  if (!run.options.final_pass && (!now.ok() || now->mtime != pair.wanted.mtime))
    changed(run, path(), "names were made or removed in it while it was being copied");
  const Acting keeper(keeper_of(run.rules.way, pair.owner));
  if (!keeper.taken()) return fail(run, path(), "identity", keeper.taken().error().what);
  // Without them it must not look complete: the next run sees by its mtime that it is not.
  if ((pair.created || pair.xattrs) && !carry_xattrs(run, pair, (*source)->get(), (*target)->get()))
    return close_again(pair, (*target)->get());
  const Attempt<Attributes> found = read_attributes((*target)->get());
  if (!found) return fail(run, path(), "cannot look at", found.number());
  const ChangeFailure failure =
      set_attributes((*target)->get(), run.rules.way, pair.wanted, *found, was_handled(pair));
  if (!failure.failed()) return;
  report(run, pair, failure);
  close_again(pair, (*target)->get());
}

}  // namespace truenas::mover
