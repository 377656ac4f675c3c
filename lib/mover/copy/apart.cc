#include "lib/mover/copy/apart.h"

#include "lib/mover/attributes.h"
#include "lib/mover/copy/access.h"
#include "lib/mover/copy/nesting.h"
#include "lib/mover/copy/run.h"
#include "lib/mover/identity.h"

namespace truenas::mover {
namespace {

constexpr int k_looks = 5;

// Whether a root and what `look` sees may be one directory. Yes when it cannot be told: unknown, or never
// still.
bool look_alike(const Root& root, const std::function<Attempt<Attributes>()>& look) {
  for (int times = 0; times < k_looks; ++times) {
    const Attempt<Attributes> before = read_attributes(root.descriptor(), Freshness::of_server);
    const Attempt<Attributes> here = look();
    const Attempt<Attributes> after = read_attributes(root.descriptor(), Freshness::of_server);
    if (!before.ok() || !here.ok() || !after.ok()) return true;
    if (may_be_one(*before, *after)) return may_be_one(*before, *here);
  }
  return true;
}

Error same_directory(const Run& run, const std::string& how) {
  return make_error(Kind::refused, "refused: " + shown(run.source.path()) + " and " +
                                       shown(run.target.path()) +
                                       " are the same directory under two names: " + how);
}

}  // namespace

bool may_be_one(const Attributes& one, const Attributes& other) {
  return one.inode == other.inode && one.type == other.type && one.ctime == other.ctime &&
         one.mtime == other.mtime;
}

bool is_target_root(const Run& run, const Attributes& seen, int directory) {
  const Attributes& root = run.target.attributes();
  if (seen.key() == root.key()) return true;
  if (seen.inode != root.inode) return false;
  if (!run.nonce.is_put())
    return look_alike(run.target, [&] { return read_attributes(directory, Freshness::of_server); });
  const Attempt<bool> found = run.nonce.is_in(directory);
  return !found.ok() || *found;
}

bool is_source_root(const Run& run, const Attributes& seen,
                    const std::function<Attempt<Attributes>()>& look) {
  if (seen.key() == run.source.attributes().key()) return true;
  return seen.inode == run.source.attributes().inode && look_alike(run.source, look);
}

Result<void> prove_apart(Run& run, DirectoryPair& pair, const OpenPair& open) {
  if (run.source.attributes().device == run.target.attributes().device) return {};
  const int target = open.target->get();
  const std::optional<Owner> keeper = keeper_of(run.rules.way, pair.owner);
  // Two fresh volumes may look alike, made within one tick of the clock; the nonce tells, where it can be
  // put.
  const bool alike = is_source_root(run, run.target.attributes(),
                                    [&] { return read_attributes(target, Freshness::of_server); });
  if (alike && must_widen(run.rules.way, keeper, pair.owner, pair.mode))
    return same_directory(run, "their numbers and times are equal");
  if (!prepare(run, pair, target, keeper))
    return make_error(Kind::auth, "cannot write into the target's root directory");
  const Attempt<void> put = run.nonce.put(open.target, keeper);
  const bool full = put.number() == ENOSPC || put.number() == EDQUOT;  // what is removed there may make room
  if (full && alike) return same_directory(run, "their numbers and times are equal");
  if (!put && !full) {
    fail(run, ".", "cannot make a file in the target's root directory", put.number());
    return system_error(put.number(), "cannot make a file in", run.target.path());
  }
  pair.touched = put.ok();
  Attempt<bool> found = false;
  {
    const Acting reader(run.reader_of(pair.source_owner));
    TM_TRY(reader.taken());
    found = run.nonce.is_in(open.source->get());
  }
  if (!found) return system_error(found.number(), "cannot look into", run.source.path());
  if (*found) return same_directory(run, "a file made in the one is in the other");
  if (!may_share_filesystem(open.source->get(), target)) return {};
  return search_for_target(run, pair.source);
}

void remove_nonce(Run& run, bool refused) {
  const std::string name = run.nonce.name();
  if (const Attempt<void> removed = run.nonce.remove(refused); !removed)
    fail(run, name, "cannot remove it from the target's root directory", removed.number());
}

void stop_nested(Run& run, const std::string& path, std::string kind, std::string text) {
  {
    const std::lock_guard lock(run.stop_mutex);
    if (run.stop_text.empty()) run.stop_text = shown(path) + ": " + text;
  }
  fail(run, path, std::move(kind), std::move(text));
  run.work.stop();
}

}  // namespace truenas::mover
