#include "lib/mover/compare.h"

#include <algorithm>

#include "lib/base/interrupt.h"
#include "lib/mover/batches.h"
#include "lib/mover/compare/conclusion.h"
#include "lib/mover/compare/gone_tree.h"
#include "lib/mover/compare/pair_batch.h"
#include "lib/mover/compare/shared_links.h"
#include "lib/mover/reading.h"

namespace truenas::mover {
namespace {

constexpr std::size_t k_open_batches = 64, k_open_jobs = 20000;
constexpr std::size_t k_part = 4096;  // names of a directory that are kept at a time

class Comparer {
 public:
  Comparer(const Root& source, const Root& target, const CompareOptions& options, Reporter& reporter)
      : options_(options),
        reporter_(reporter),
        source_(source, options.source_as_owner),
        target_(target, options.target_as_owner),
        conclusion_(options, reporter),
        pool_(options.workers, k_open_batches, k_open_jobs) {}

  Outcome run() {
    if (const Result<void> opened = conclusion_.open(); !opened) {
      return Outcome{"compare", 1, opened.error().what, {}, {}};
    }
    std::vector<Pair> pending = {{source_.top(), target_.top()}};
    while (!pending.empty() && !interrupted()) {
      const Pair pair = std::move(pending.back());
      pending.pop_back();
      compare_directories(pair, pending);
      reporter_.progress(
          {"compare", entries_, directories_, conclusion_.differing(), bytes_, 0, options_.workers});
    }
    pool_.wait();
    return conclusion_.outcome(bytes_);
  }

 private:
  struct Pair {
    Directory source, target;
  };

  void compare_directories(const Pair& pair, std::vector<Pair>& pending) {
    Attempt<OpenedDirectory> source = source_.read(pair.source);
    Attempt<OpenedDirectory> target = target_.read(pair.target);
    const std::string path = pair.source.path();
    if (!source || !target) {
      pool_.submit(std::make_unique<UnreadableBatch>(conclusion_, path, unread(pair, source, target)));
      return;
    }
    ++directories_;
    const std::size_t first = pending.size();
    merge(pair, *source, *target, pending);
    std::reverse(pending.begin() + static_cast<std::ptrdiff_t>(first), pending.end());
  }

  PairedEntry unread(const Pair& pair, const Attempt<OpenedDirectory>& source,
                     const Attempt<OpenedDirectory>& target) {
    const char* doing = "cannot read the directory";
    PairedEntry entry;
    if (!source) {
      entry.failed.push_back(not_compared("source", doing, source.number()));
      return entry;
    }
    entry.in_source = true;
    entry.source = source->attributes;
    const Attempt<Attributes> above = target_.look_above(pair.target);
    entry.failed.push_back(
        not_compared("target", doing, target.number(), above ? above->ctime : Timestamp()));
    if (entry.failed[0].kind != "unreadable") entry.below = gone_below(pair.source);
    return entry;
  }

  // Null where nobody asks.
  std::shared_ptr<const GoneTree> gone_below(const Directory& directory) {
    if (!options_.since) return nullptr;
    return std::make_shared<const GoneTree>(walk_gone_tree(source_, directory, options_));
  }
  std::shared_ptr<const GoneTree> gone_below(const Pair& pair, const std::string& name,
                                             const Attributes& source) {
    if (source.type != FileType::directory) return nullptr;
    return gone_below(source_.below(pair.source, name, source));
  }

  std::unique_ptr<PairBatch> part(const Pair& pair, const OpenedDirectory& source,
                                  const OpenedDirectory& target, bool first) {
    return std::make_unique<PairBatch>(
        PairBatch::Sides{source_, target_, source.handle, target.handle, source.attributes,
                         target.attributes},
        PairBatch::Purpose{options_.owners, options_.xattrs, pair.source.path(),
                           pair.source.place->parent() == nullptr, first},
        conclusion_, bytes_);
  }

  void merge(const Pair& pair, const OpenedDirectory& source, const OpenedDirectory& target,
             std::vector<Pair>& pending) {
    std::unique_ptr<PairBatch> batch = part(pair, source, target, true);
    const std::string start = batch->is_root() ? std::string() : batch->path() + "/";
    std::size_t i = 0, j = 0;
    while (i < source.listing.size() || j < target.listing.size()) {
      const bool in_source = i < source.listing.size() &&
                             (j == target.listing.size() || source.listing.name(i) <= target.listing.name(j));
      const bool in_target = j < target.listing.size() &&
                             (i == source.listing.size() || target.listing.name(j) <= source.listing.name(i));
      const std::string name(in_source ? source.listing.name(i) : target.listing.name(j));
      ++entries_;
      if (batch->jobs() > k_part) {
        pool_.submit(std::move(batch));
        batch = part(pair, source, target, false);
      }
      if (options_.leave_out.contains(start + name)) {
        if (in_target) batch->add_difference(name, {"extraneous", "was to be left out"});
      } else if (!in_target) {
        add_missing(pair, name, source_.attributes(source, i), *batch);
      } else if (!in_source) {
        batch->add_difference(name, {"extraneous", "is not in the source"});
      } else {
        add_pair(pair, name, source_.attributes(source, i), target_.attributes(target, j), *batch, pending);
      }
      if (in_source) ++i;
      if (in_target) ++j;
    }
    batch->set_last();
    pool_.submit(std::move(batch));
  }

  void add_missing(const Pair& pair, const std::string& name, const Attempt<Attributes>& source,
                   PairBatch& batch) {
    if (options_.since && !source) {
      batch.add_failure(name, "source", source.number());
      return;
    }
    PairedEntry& entry = batch.add_difference(name, {"missing", "is not on the target"},
                                              source ? std::optional(*source) : std::nullopt);
    if (source) entry.below = gone_below(pair, name, *source);
  }

  void add_pair(const Pair& pair, const std::string& name, const Attempt<Attributes>& source,
                const Attempt<Attributes>& target, PairBatch& batch, std::vector<Pair>& pending) {
    if (!source) {
      batch.add_failure(name, "source", source.number());
      return;
    }
    if (!target) {
      batch.add_failure(name, "target", target.number(), *source).below = gone_below(pair, name, *source);
      return;
    }
    PairedEntry& entry = batch.add(name, *source, *target);
    if (source->type != target->type) {
      entry.below = gone_below(pair, name, *source);
      return;
    }
    if (source->type == FileType::directory) {
      pending.push_back(
          {source_.below(pair.source, name, *source), target_.below(pair.target, name, *target)});
      return;
    }
    const std::string path = pair.source.place->path_of(name);
    if (const auto text = links_.see(*source, *target, path)) entry.found.push_back({"links", *text});
    entry.link_of = first_names_.see(*target, path);
  }

  const CompareOptions& options_;
  Reporter& reporter_;
  TreeReader source_, target_;
  SharedLinks links_;
  FirstNames first_names_;
  Conclusion conclusion_;
  std::atomic<std::uint64_t> bytes_{0};
  std::uint64_t entries_ = 0, directories_ = 0;
  BatchPool pool_;  // last: its threads use all of the above
};

}  // namespace

Outcome compare(const Root& source, const Root& target, const CompareOptions& options, Reporter& reporter) {
  if (const Result<void> apart = check_apart(source, target); !apart) {
    return Outcome{"compare", 4, apart.error().what, {}, {}};
  }
  return Comparer(source, target, options, reporter).run();
}

}  // namespace truenas::mover
