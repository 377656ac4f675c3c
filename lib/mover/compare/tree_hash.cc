#include "lib/mover/compare/tree_hash.h"

#include <algorithm>
#include <atomic>

#include "lib/base/interrupt.h"
#include "lib/mover/batches.h"
#include "lib/mover/compare/content.h"
#include "lib/mover/compare/shared_links.h"
#include "lib/mover/manifest_hash.h"
#include "lib/mover/reading.h"

namespace truenas::mover {
namespace {

constexpr std::size_t k_open_batches = 64, k_open_jobs = 20000;
constexpr std::size_t k_part = 4096;  // names of a directory that are kept at a time

struct HashedEntry {
  std::string name;
  Attributes attributes;
  Digest content, xattrs;
  std::string link_text, link_of;
  std::string problem;  // why it could not be read
};

// What the batches have in common. `hash` is touched by conclusions alone.
struct Shared {
  const TreeReader& reader;
  const TreeHashOptions& options;
  const TreeHashSink& sink;
  Reporter& reporter;
  std::atomic<std::uint64_t> bytes{0};
  std::uint64_t unreadable = 0;
  std::optional<DirectoryHash> hash;  // of the directory that was begun, as long as all of it could be read
};

void fail(Shared& shared, const std::string& path, const std::string& text) {
  ++shared.unreadable;
  shared.reporter.finding({Severity::error, "unreadable", path, text, 1});
}

class HashBatch : public Batch {
 public:
  HashBatch(Shared& shared, const OpenedDirectory& opened, std::string path, bool first)
      : shared_(shared),
        handle_(opened.handle),
        own_(opened.attributes),
        path_(std::move(path)),
        first_(first) {}

  HashedEntry& add(std::string name, const Attributes& attributes) {
    HashedEntry& entry = entries_.emplace_back();
    entry.name = std::move(name);
    entry.attributes = attributes;
    return entry;
  }
  void set_last() { last_ = true; }
  std::size_t jobs() const override { return entries_.size() + 1; }

  void run(std::size_t job) override {
    if (interrupted()) return;
    if (job == 0) {
      if (first_) take_xattrs(own_xattrs_, own_problem_, shared_.reader.xattrs(handle_->get(), own_.owner));
      return;
    }
    HashedEntry& entry = entries_[job - 1];
    if (entry.attributes.type == FileType::directory || !entry.problem.empty()) return;
    if (entry.attributes.type == FileType::regular) {
      read_file(entry);
    } else {
      read_other(entry);
    }
  }

  void conclude() override {
    if (interrupted()) return;
    if (first_) begin();
    for (const HashedEntry& entry : entries_) {
      if (!entry.problem.empty()) {
        fail(shared_, path_ == "." ? entry.name : path_ + "/" + entry.name, entry.problem);
        shared_.hash.reset();
      }
      if (!shared_.hash) continue;
      Attributes attributes = entry.attributes;
      attributes.owner = shared_.options.owners.apply(attributes.owner);
      shared_.hash->add(
          {entry.name, attributes, entry.content, entry.link_text, entry.xattrs, entry.link_of});
    }
    if (!last_ || !shared_.hash) return;
    shared_.sink.line(ManifestLine{shared_.hash->digest(), shared_.hash->entries(), path_});
    shared_.hash.reset();
  }

 private:
  void begin() {
    shared_.hash.reset();
    Attributes own = own_;
    own.owner = shared_.options.owners.apply(own.owner);
    const bool is_root = path_ == ".";
    if (!own_problem_.empty()) fail(shared_, path_, own_problem_);
    if (is_root) shared_.sink.root(own, own_xattrs_);
    if (!own_problem_.empty()) return;
    shared_.hash.emplace(is_root ? std::nullopt : std::optional(own), own_xattrs_);
  }

  void take_xattrs(Digest& digest, std::string& problem, const Attempt<ExtendedAttributes>& xattrs) const {
    digest = digest_of({});
    if (!shared_.options.xattrs) return;
    if (xattrs) {
      digest = digest_of(*xattrs);
    } else {
      problem = "cannot read extended attributes: " + errno_text(xattrs.number());
    }
  }

  void read_file(HashedEntry& entry) const {
    thread_local std::vector<char> t_buffer;
    const Attempt<Descriptor> file =
        shared_.reader.open_file(handle_->get(), own_.owner, entry.name.c_str(), entry.attributes.owner);
    if (!file) {
      entry.problem = "cannot open it: " + errno_text(file.number());
      return;
    }
    const Attempt<Attributes> now = read_attributes(file->get());
    if (!now || now->key() != entry.attributes.key() || now->type != FileType::regular) {
      entry.problem = "it changed while it was read";
      return;
    }
    entry.attributes = *now;
    take_xattrs(entry.xattrs, entry.problem, shared_.reader.xattrs(file->get(), entry.attributes.owner));
    const ContentDigest content = digest_content(file->get(), t_buffer, shared_.bytes);
    if (content.number != 0) entry.problem = "cannot read it: " + errno_text(content.number);
    if (content.number == 0 && !content.stopped && content.size != now->size) {
      entry.problem = "it changed while it was read";
    }
    entry.content = content.digest;
  }

  void read_other(HashedEntry& entry) const {
    const char* name = entry.name.c_str();
    take_xattrs(entry.xattrs, entry.problem,
                shared_.reader.xattrs_by_name(handle_->get(), own_.owner, name, entry.attributes.owner));
    if (entry.attributes.type != FileType::symlink) return;
    const auto text = shared_.reader.read_link(handle_->get(), own_.owner, name);
    if (text) {
      entry.link_text = *text;
    } else {
      entry.problem = "cannot read the link: " + errno_text(text.number());
    }
  }

  Shared& shared_;
  OpenDirectory handle_;
  Attributes own_;
  std::string path_;
  bool first_, last_ = false;
  Digest own_xattrs_;
  std::string own_problem_;
  std::vector<HashedEntry> entries_;
};

class FailedBatch : public Batch {
 public:
  FailedBatch(Shared& shared, std::string path, std::string text)
      : shared_(shared), path_(std::move(path)), text_(std::move(text)) {}
  std::size_t jobs() const override { return 0; }
  void run(std::size_t) override {}
  void conclude() override { fail(shared_, path_, text_); }

 private:
  Shared& shared_;
  std::string path_, text_;
};

class Walk {
 public:
  Walk(TreeReader& reader, Shared& shared)
      : reader_(reader), shared_(shared), pool_(shared.options.workers, k_open_batches, k_open_jobs) {}

  void run() {
    std::vector<Directory> pending = {reader_.top()};
    while (!pending.empty() && !interrupted()) {
      const Directory directory = std::move(pending.back());
      pending.pop_back();
      const std::size_t first = pending.size();
      enter(directory, pending);
      std::reverse(pending.begin() + static_cast<std::ptrdiff_t>(first), pending.end());
      shared_.reporter.progress(
          {shared_.options.phase, entries_, ++directories_, 0, shared_.bytes, 0, shared_.options.workers});
    }
    pool_.wait();
  }

 private:
  void enter(const Directory& directory, std::vector<Directory>& pending) {
    const std::string path = directory.path();
    const Attempt<OpenedDirectory> opened = reader_.read(directory);
    if (!opened) {
      pool_.submit(std::make_unique<FailedBatch>(
          shared_, path, "cannot read the directory: " + errno_text(opened.number())));
      return;
    }
    const std::string start = path == "." ? std::string() : path + "/";
    auto batch = std::make_unique<HashBatch>(shared_, *opened, path, true);
    for (std::size_t i = 0; i < opened->listing.size(); ++i) {
      const std::string name(opened->listing.name(i));
      if (shared_.options.leave_out.contains(start + name)) continue;
      ++entries_;
      if (batch->jobs() > k_part) {
        pool_.submit(std::move(batch));
        batch = std::make_unique<HashBatch>(shared_, *opened, path, false);
      }
      const Attempt<Attributes> attributes = reader_.attributes(*opened, i);
      HashedEntry& entry = batch->add(name, attributes ? *attributes : Attributes{});
      if (!attributes) {
        entry.problem = "cannot look at it: " + errno_text(attributes.number());
      } else if (attributes->type == FileType::directory) {
        pending.push_back(reader_.below(directory, name, *attributes));
      } else {
        entry.link_of = first_names_.see(*attributes, start + name);
      }
    }
    batch->set_last();
    pool_.submit(std::move(batch));
  }

  TreeReader& reader_;
  Shared& shared_;
  FirstNames first_names_;
  std::uint64_t entries_ = 0, directories_ = 0;
  BatchPool pool_;  // last: its threads use all of the above
};

}  // namespace

TreeHashTotals hash_tree(const Root& root, const TreeHashOptions& options, const TreeHashSink& sink,
                         Reporter& reporter) {
  TreeReader reader(root, options.as_owner);
  Shared shared{reader, options, sink, reporter, {}, 0, {}};
  Walk(reader, shared).run();
  return TreeHashTotals{shared.bytes, shared.unreadable};
}

}  // namespace truenas::mover
