#include "lib/mover/copy/apart.h"

#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>

#include <array>

#include "lib/mover/attributes.h"
#include "lib/mover/copy/access.h"
#include "lib/mover/copy/nesting.h"
#include "lib/mover/copy/run.h"
#include "lib/mover/identity.h"

namespace truenas::mover {
namespace {

constexpr std::string_view k_start = ".volume-mover-";
constexpr std::string_view k_end = ".nonce";
constexpr std::string_view k_digits = "0123456789abcdef";
constexpr std::size_t k_bytes = 16;
constexpr int k_looks = 5;

Attempt<std::string> new_name() {
  std::array<unsigned char, k_bytes> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
    return Attempt<std::string>::failed(errno);
  std::string name(k_start);
  for (const unsigned char byte : bytes) {
    name += k_digits[byte >> 4];
    name += k_digits[byte & 15];
  }
  return name + std::string(k_end);
}

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

bool is_nonce_name(std::string_view name) {
  if (name.size() != k_start.size() + 2 * k_bytes + k_end.size()) return false;
  return name.starts_with(k_start) && name.ends_with(k_end) &&
         name.substr(k_start.size(), 2 * k_bytes).find_first_not_of(k_digits) == std::string_view::npos;
}

bool is_nonce(std::string_view name, const Attributes& attributes) {
  return is_nonce_name(name) && attributes.type == FileType::regular && attributes.size == 0;
}

Attempt<void> Nonce::put(OpenDirectory directory, std::optional<Owner> keeper) {
  Attempt<std::string> name = new_name();
  if (!name) return Attempt<void>::failed(name.number());
  const Acting acting(keeper);
  if (!acting.taken()) return Attempt<void>::failed(EPERM);
  const Descriptor file(
      ::openat(directory->get(), name->c_str(), O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.is_open()) return Attempt<void>::failed(errno);
  directory_ = std::move(directory);
  keeper_ = keeper;
  name_ = std::move(*name);
  return {};
}

Attempt<bool> Nonce::is_in(int directory) const {
  if (!is_put()) return false;
  const Attempt<Attributes> found = read_attributes(directory, name_.c_str(), Freshness::of_server);
  if (found.ok()) return true;
  if (found.number() == ENOENT) return false;
  return Attempt<bool>::failed(found.number());
}

Attempt<void> Nonce::remove() {
  if (!is_put()) return {};
  const OpenDirectory directory = std::exchange(directory_, nullptr);
  const Acting acting(keeper_);
  if (!acting.taken()) return Attempt<void>::failed(EPERM);
  if (::unlinkat(directory->get(), name_.c_str(), 0) == 0 || errno == ENOENT) return {};
  return Attempt<void>::failed(errno);
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
  // A full volume: what is removed there may make room.
  if (!put && (put.number() == ENOSPC || put.number() == EDQUOT)) {
    if (alike) return same_directory(run, "their numbers and times are equal");
    return {};
  }
  if (!put) {
    fail(run, ".", "cannot make a file in the target's root directory", put.number());
    return system_error(put.number(), "cannot make a file in", run.target.path());
  }
  pair.touched = true;
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

void remove_nonce(Run& run) {
  const std::string name = run.nonce.name();
  if (const Attempt<void> removed = run.nonce.remove(); !removed)
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
