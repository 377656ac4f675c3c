// Both sides' names side by side: what the source does not have goes, then each of the source's names gets
// its decision. Removals come first, so that a volume that is nearly full has room.

#include "lib/base/interrupt.h"
#include "lib/mover/attributes.h"
#include "lib/mover/copy/access.h"
#include "lib/mover/copy/folding.h"
#include "lib/mover/copy/left_out.h"
#include "lib/mover/copy/run.h"
#include "lib/mover/identity.h"

namespace truenas::mover {
namespace {

constexpr std::size_t k_batch_files = 32;
constexpr std::uint64_t k_batch_bytes = 4 << 20;

// One directory's decisions.
struct Merge {
  Worker& worker;
  const std::shared_ptr<DirectoryPair>& pair;
  const OpenPair& open;
  const Listing& source;
  const Listing* target;
  FileBatch batch{};
  std::uint64_t batch_bytes = 0;

  Run& run() const { return worker.run; }
};

bool left_out(const Merge& merge, std::string_view name) {
  const auto& paths = merge.run().options.leave_out;
  return !paths.empty() && paths.contains(merge.pair->path_of(name));
}

bool wanted_again(const Merge& merge, std::string_view name, const Attributes& source) {
  const auto& paths = merge.run().options.again;
  if (paths.empty()) return false;
  if (source.links > 1 && merge.run().again_groups.contains(source.key())) return true;
  return paths.contains(merge.pair->path_of(name));
}

// Looked up as who may look: the keeper of the target's directory.
Attempt<Attributes> target_attributes(const Merge& merge, std::size_t index) {
  const Acting keeper(keeper_of(merge.run().rules.way, merge.pair->owner));
  return merge.target->attributes(index, merge.open.target->get());
}

Attempt<Attributes> source_attributes(const Merge& merge, std::size_t index) {
  const Acting reader(merge.run().reader_of(merge.pair->source_owner));
  return merge.source.attributes(index, merge.open.source->get());
}

// What a killed run has left in a volume's root when that was a target.
bool is_old_nonce(const Merge& merge, std::size_t index) {
  if (merge.pair->parent || !is_nonce_name(merge.source.name(index))) return false;
  const Attempt<Attributes> attributes = source_attributes(merge, index);
  return attributes.ok() && is_nonce(merge.source.name(index), *attributes);
}

// Without --delete only what a run that was killed left behind.
void remove_extraneous(Merge& merge) {
  const bool all = merge.run().options.remove_extraneous;
  std::size_t at = 0;
  for (std::size_t there = 0; there < merge.target->size(); ++there) {
    if (interrupted() || merge.run().work.stopped()) return;
    const std::string_view name = merge.target->name(there);
    const bool left_behind = is_partial_name(name) || (!merge.pair->parent && is_nonce_name(name));
    if (!all && !left_behind) continue;
    while (at < merge.source.size() && merge.source.name(at) < name) ++at;
    if (at < merge.source.size() && merge.source.name(at) == name) continue;
    if (left_out(merge, name)) continue;
    const Attempt<Attributes> attributes = target_attributes(merge, there);
    if (!attributes && attributes.number() == ENOENT) continue;
    if (!all && attributes.ok() && attributes->type != FileType::regular) continue;
    if (!attributes)
      fail(merge.run(), merge.pair->path_of(name), "cannot look at it on the target", attributes.number());
    else if (all || !is_nonce_name(name) || is_nonce(name, *attributes))
      remove_entry(merge.run(), *merge.pair, merge.open.target->get(), std::string(name), *attributes);
  }
}

void flush(Merge& merge) {
  if (merge.batch.empty()) return;
  merge.batch_bytes = 0;
  // The queue is full: this worker does it himself, so that no more waits than can be held.
  if (!merge.run().work.offer(merge.batch)) perform(merge.worker, std::move(merge.batch));
  merge.batch.clear();
}

void add_directory(Merge& merge, const std::string& name, bool exists) {
  ++merge.pair->pending;
  merge.pair->children.add(name, exists);
}

void add_item(Merge& merge, FileItem item) {
  ++merge.pair->pending;
  merge.batch_bytes += item.source.size;
  merge.batch.push_back(std::move(item));
  if (merge.batch.size() >= k_batch_files || merge.batch_bytes >= k_batch_bytes) flush(merge);
}

// A directory is in the way of something else, or something else of a directory. false: reported.
bool clear_the_way(Merge& merge, const std::string& name, const Attributes& target) {
  Run& run = merge.run();
  if (target.type == FileType::directory && !run.options.remove_extraneous)
    return fail(run, merge.pair->path_of(name), "in-the-way",
                "a directory is in its way on the target, and nothing may be removed there"),
           false;
  if (remove_entry(run, *merge.pair, merge.open.target->get(), name, target)) return true;
  const std::string path = merge.pair->path_of(name);
  if (target.type == FileType::directory && holds_left_out(run.options.leave_out, path))
    fail(run, path, "in-the-way", "a directory is in its way on the target that may hold what is left out");
  return false;
}

void keep(Merge& merge, FileItem item) {
  if (item.source.links == 1) {
    ++merge.run().counters.kept;
    return;
  }
  // Nothing to do for itself, but others may have to be linked to it.
  ++merge.pair->pending;
  if (make_linked(merge.worker, item, merge.open)) finish(merge.run(), merge.pair);
}

void decide_about(Merge& merge, std::string_view name, const Attributes& source,
                  std::optional<Attributes> target) {
  Run& run = merge.run();
  FileItem item{merge.pair, std::string(name), source, source.owner, std::move(target), {}};
  item.source.owner = run.options.owners.apply(source.owner);
  item.decision = decide(item.source, item.target ? &*item.target : nullptr, run.rules,
                         wanted_again(merge, name, source));
  const Action action = item.decision.action;
  if (action == Action::refuse) return fail(run, item.path(), item.decision.kind, item.decision.why);
  if (action == Action::keep) return keep(merge, std::move(item));
  const bool directory = item.source.type == FileType::directory;
  if (action == Action::descend) return add_directory(merge, item.name, true);
  if (action == Action::replace && (directory || item.target->type == FileType::directory)) {
    if (!clear_the_way(merge, item.name, *item.target)) return;
    item.target.reset();
    item.decision.action = Action::create;
  }
  if (directory) return add_directory(merge, item.name, false);
  add_item(merge, std::move(item));
}

// Nothing: no such name. `there` only moves forwards.
Attempt<std::optional<Attributes>> find_on_target(const Merge& merge, std::string_view name,
                                                  std::size_t& there) {
  using Found = std::optional<Attributes>;
  if (merge.target == nullptr) return Found();
  while (there < merge.target->size() && merge.target->name(there) < name) ++there;
  if (there >= merge.target->size() || merge.target->name(there) != name) return Found();
  Attempt<Attributes> found = target_attributes(merge, there);
  if (found.ok()) {
    found->ctime = merge.run().links.ctime_of(*found);
    return Found(*found);
  }
  if (found.number() == ENOENT) return Found();
  return Attempt<Found>::failed(found.number());
}

}  // namespace

void merge(Worker& worker, const std::shared_ptr<DirectoryPair>& pair, const OpenPair& open,
           const Listing& source_names, const Listing* target_names) {
  Merge merge{worker, pair, open, source_names, target_names};
  Run& run = worker.run;
  pair->listed = std::chrono::steady_clock::now();
  if (pair->parent && pair->mode != pair->wanted.mode) run.opened.add(pair);
  pair->exclusive = names_may_fold(source_names, target_names);
  if (target_names != nullptr) remove_extraneous(merge);
  std::size_t there = 0;
  for (std::size_t at = 0; at < source_names.size(); ++at) {
    if (interrupted() || run.work.stopped()) return;
    const std::string_view name = source_names.name(at);
    if (run.options.final_pass) pair->names.add(name);
    if (is_old_nonce(merge, at)) continue;
    ++run.counters.entries;
    if (left_out(merge, name)) {
      ++run.counters.left_out;
      run.reporter.finding(Finding{Severity::note, "left-out", pair->path_of(name), "left out as asked"});
      continue;
    }
    const Attempt<Attributes> source = source_attributes(merge, at);
    if (!source && source.number() == ENOENT) {
      changed(run, pair->path_of(name), "it was removed while being copied");
      continue;
    }
    if (!source) {
      fail(run, pair->path_of(name), "cannot look at", source.number());
      continue;
    }
    const Attempt<std::optional<Attributes>> target = find_on_target(merge, name, there);
    if (target.ok())
      decide_about(merge, name, *source, *target);
    else
      fail(run, pair->path_of(name), "cannot look at it on the target", target.number());
  }
  flush(merge);
}

}  // namespace truenas::mover
