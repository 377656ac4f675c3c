#include "lib/mover/scan.h"

#include <algorithm>

#include "lib/base/interrupt.h"
#include "lib/mover/batches.h"
#include "lib/mover/newer_entries.h"
#include "lib/mover/probe_verdict.h"
#include "lib/mover/reading.h"
#include "lib/mover/scan_totals.h"
#include "lib/mover/top_listing.h"
#include "lib/mover/utf8.h"

namespace truenas::mover {
namespace {

constexpr std::size_t k_names_a_job = 32;
constexpr std::size_t k_open_batches = 64, k_open_jobs = 4096;

// The names of extended attributes of one directory's entries: on NFS a RPC each, so by many at once.
class XattrBatch : public Batch {
 public:
  struct Name {
    std::string name;
    Owner owner;
    std::vector<std::string> found;
    int number = 0;
  };
  XattrBatch(const TreeReader& reader, OpenDirectory handle, Owner owner, std::shared_ptr<Place> place,
             ScanTotals& totals, Reporter& reporter, std::uint64_t& unreadable)
      : reader_(reader),
        handle_(std::move(handle)),
        owner_(owner),
        place_(std::move(place)),
        totals_(totals),
        reporter_(reporter),
        unreadable_(unreadable) {}
  void add(std::string_view name, Owner owner) { names_.push_back(Name{std::string(name), owner, {}, 0}); }
  std::size_t jobs() const override { return (names_.size() + k_names_a_job - 1) / k_names_a_job; }
  void run(std::size_t job) override {
    for (std::size_t i = job * k_names_a_job; i < names_.size() && i < (job + 1) * k_names_a_job; ++i) {
      if (interrupted()) return;
      Name& name = names_[i];
      const auto found = reader_.xattr_names(handle_->get(), owner_, name.name.c_str(), name.owner);
      name.number = found.number();
      for (const auto& [key, role] : *found) name.found.push_back(key);
    }
  }
  void conclude() override {
    for (const Name& name : names_) {
      for (const std::string& key : name.found) totals_.add_xattr(key);
      if (name.number == 0 || name.number == ENOENT) continue;
      ++unreadable_;
      reporter_.finding({Severity::error, "unreadable", place_->path_of(name.name),
                         "cannot list extended attributes: " + errno_text(name.number), 1});
    }
  }

 private:
  const TreeReader& reader_;
  OpenDirectory handle_;
  Owner owner_;
  std::shared_ptr<Place> place_;
  ScanTotals& totals_;
  Reporter& reporter_;
  std::uint64_t& unreadable_;
  std::vector<Name> names_;
};

class Scanner {
 public:
  Scanner(const Root& root, const ScanOptions& options, Reporter& reporter)
      : options_(options),
        reporter_(reporter),
        reader_(root, options.as_owner),
        pool_(options.workers, k_open_batches, k_open_jobs) {}

  Outcome run() {
    std::vector<Directory> pending = {reader_.top()};
    while (!pending.empty() && !interrupted()) {
      const Directory directory = std::move(pending.back());
      pending.pop_back();
      scan_directory(directory, pending);
      reporter_.progress(
          {"scan", totals_.entries(), totals_.directories(), 0, totals_.bytes(), 0, options_.workers});
    }
    pool_.wait();
    return outcome();
  }

 private:
  void scan_directory(const Directory& directory, std::vector<Directory>& pending) {
    const Attempt<OpenedDirectory> opened = reader_.read(directory);
    if (!opened) return unreadable(directory.path(), "cannot read the directory", opened.number());
    auto batch = std::make_unique<XattrBatch>(reader_, opened->handle, opened->attributes.owner,
                                              directory.place, totals_, reporter_, xattrs_unreadable_);
    if (!directory.place->parent()) top_.add(".", opened->attributes);
    const std::string start = directory.place->parent() ? directory.path() + "/" : std::string();
    const std::size_t first = pending.size();
    for (std::size_t i = 0; i < opened->listing.size(); ++i) {
      const std::string_view name = opened->listing.name(i);
      const std::string path = start + std::string(name);
      if (options_.leave_out.contains(path)) {
        totals_.add_left_out();
        continue;
      }
      const Attempt<Attributes> attributes = reader_.attributes(*opened, i);
      if (!attributes) {
        unreadable(path, "cannot look at it", attributes.number());
        continue;
      }
      totals_.add(path, directory.place->depth() + 1, name, *attributes);
      if (start.empty()) top_.add(name, *attributes);
      if (options_.since && attributes->ctime > *options_.since) newer_.add(path, *attributes);
      check(path, name, *attributes);
      if (options_.xattrs) batch->add(name, attributes->owner);
      if (attributes->type == FileType::directory && !options_.top)
        pending.push_back(reader_.below(directory, name, *attributes));
    }
    std::reverse(pending.begin() + static_cast<std::ptrdiff_t>(first), pending.end());
    pool_.submit(std::move(batch));
  }

  void check(const std::string& path, std::string_view name, const Attributes& attributes) {
    const auto note = [&](std::string kind, std::string text) {
      reporter_.finding({Severity::note, std::move(kind), path, std::move(text), 1});
    };
    if (!is_utf8(name)) note("name-not-utf8", "its name is not UTF-8");
    if (path.size() >= k_near_path_max) {
      note("long-path", "its path has " + std::to_string(path.size()) + " bytes");
    }
    if (attributes.type == FileType::socket)
      note("socket", "a socket: whoever listened on it must make it anew");
    const bool device = attributes.type == FileType::block_device ||
                        attributes.type == FileType::character_device || attributes.type == FileType::unknown;
    if (device) note("device", std::string("a ") + type_name(attributes.type));
    if (!options_.target_way) return;
    if (device) {
      obstacle(
          "cannot-be-copied", path,
          std::string("a ") + type_name(attributes.type) + " cannot be copied; leave it out by its path");
    }
    const Owner owner = options_.owners.apply(attributes.owner);
    if (const auto why = owner_obstacle(*options_.target_way, owner, options_.single_owner)) {
      obstacle("owner-refused", path, *why);
    } else if (!readable_again(attributes)) {
      obstacle("cannot-be-compared", path,
               "its own owner may not read it, and on the target nobody else can: it could be copied, but "
               "never compared; give its owner the right, or leave it out by its path");
    }
  }

  // Where root is squashed the copy is read as its owner.
  bool readable_again(const Attributes& attributes) const {
    if (*options_.target_way == OwnerWay::chown) return true;
    if (attributes.type == FileType::directory) return (attributes.mode & 0500) == 0500;
    return attributes.type != FileType::regular || (attributes.mode & 0400) != 0;
  }

  void obstacle(std::string kind, const std::string& path, std::string text) {
    ++obstacles_;
    reporter_.finding({Severity::error, std::move(kind), path, std::move(text), 1});
  }

  void unreadable(const std::string& path, const std::string& doing, int number) {
    if (number == ENOENT && path != ".") return;  // a live tree: it has gone meanwhile
    ++unreadable_;
    reporter_.finding({Severity::error, "unreadable", path, doing + ": " + errno_text(number), 1});
  }

  Outcome outcome() const {
    Outcome outcome;
    outcome.mode = "scan";
    totals_.write(outcome);
    top_.write(outcome);
    if (options_.since) newer_.write(outcome);
    const std::uint64_t unreadable = unreadable_ + xattrs_unreadable_;
    outcome.counts.emplace_back("unreadable", unreadable);
    outcome.counts.emplace_back("not_representable", obstacles_);
    const std::string entries =
        std::to_string(totals_.entries()) + " entries, " + std::to_string(totals_.bytes()) + " bytes";
    if (interrupted()) {
      outcome.exit = 143;
      outcome.text = "stopped after " + entries;
    } else if (unreadable != 0) {
      outcome.exit = 1;
      outcome.text = entries + "; " + std::to_string(unreadable) + " could not be read";
    } else if (obstacles_ != 0) {
      outcome.exit = 4;
      outcome.text = entries + "; the target cannot represent " + std::to_string(obstacles_);
    } else {
      outcome.text = entries;
    }
    return outcome;
  }

  const ScanOptions& options_;
  Reporter& reporter_;
  TreeReader reader_;
  ScanTotals totals_;
  TopListing top_;
  NewerEntries newer_;
  std::uint64_t obstacles_ = 0, unreadable_ = 0, xattrs_unreadable_ = 0;
  BatchPool pool_;  // last: its threads use all of the above
};

}  // namespace

Outcome scan(const Root& root, const ScanOptions& options, Reporter& reporter) {
  return Scanner(root, options, reporter).run();
}

}  // namespace truenas::mover
