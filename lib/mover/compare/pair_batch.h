#pragma once
// One directory on both sides, or a part of a large one: what has to be read to compare its entries, each by
// whichever thread is free.

#include <atomic>
#include <deque>
#include <optional>
#include <string>

#include "lib/mover/batches.h"
#include "lib/mover/compare/conclusion.h"
#include "lib/mover/reading.h"

namespace truenas::mover {

class PairBatch : public Batch {
 public:
  struct Sides {
    const TreeReader& source;
    const TreeReader& target;
    OpenDirectory source_handle, target_handle;
    Attributes source_own, target_own;
  };
  struct Purpose {
    const OwnerMap& owners;
    bool xattrs = true;
    std::string path;
    bool is_root = false;
    bool first = true;  // the part with the directory's own attributes
  };
  PairBatch(Sides sides, Purpose purpose, Conclusion& conclusion, std::atomic<std::uint64_t>& bytes);

  const std::string& path() const { return purpose_.path; }
  bool is_root() const { return purpose_.is_root; }
  // In the order of names. The reference holds until the next one is added.
  PairedEntry& add(const std::string& name, const Attributes& source, const Attributes& target);
  // Of a name on one side; `source`: what is known of it there.
  PairedEntry& add_difference(const std::string& name, Difference difference,
                              std::optional<Attributes> source = std::nullopt);
  // Of a name that cannot be looked at on that side ("source" or "target").
  PairedEntry& add_failure(const std::string& name, const char* side, int number,
                           std::optional<Attributes> source = std::nullopt);

  // Nothing of this directory follows.
  void set_last() { last_ = true; }

  std::size_t jobs() const override { return entries_.size() + 1; }
  void run(std::size_t job) override;
  void conclude() override {
    if (purpose_.first) conclusion_.begin(path(), is_root(), own_);
    conclusion_.add(entries_);
    if (last_) conclusion_.end();
  }

 private:
  PairedEntry& add_on_one_side(const std::string& name, const std::optional<Attributes>& source);
  void compare_own();
  void compare_file(PairedEntry& entry) const;
  void compare_other(PairedEntry& entry) const;
  bool look_again(PairedEntry& entry) const;
  void compare_bytes(PairedEntry& entry, int source, int target) const;
  void take_xattrs(PairedEntry& entry, const Attempt<ExtendedAttributes>& source,
                   const Attempt<ExtendedAttributes>& target) const;

  Sides sides_;
  Purpose purpose_;
  Conclusion& conclusion_;
  std::atomic<std::uint64_t>& bytes_;
  bool last_ = false;
  PairedEntry own_;
  std::vector<PairedEntry> entries_;
};

// A directory that could not be read: said in its turn.
class UnreadableBatch : public Batch {
 public:
  UnreadableBatch(Conclusion& conclusion, std::string path, PairedEntry directory)
      : conclusion_(conclusion), path_(std::move(path)), directory_(std::move(directory)) {}
  std::size_t jobs() const override { return 0; }
  void run(std::size_t) override {}
  void conclude() override { conclusion_.unreadable(path_, directory_); }

 private:
  Conclusion& conclusion_;
  std::string path_;
  PairedEntry directory_;
};

}  // namespace truenas::mover
