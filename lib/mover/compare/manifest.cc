#include "lib/mover/manifest.h"

#include "lib/base/interrupt.h"
#include "lib/base/text.h"
#include "lib/mover/compare/difference.h"
#include "lib/mover/compare/manifest_writer.h"
#include "lib/mover/compare/tree_hash.h"

namespace truenas::mover {
namespace {

ManifestHeader header_of(const ManifestOptions& options, const Attributes& own, Digest xattrs) {
  ManifestHeader header;
  header.owner_rules = options.owners.rules();
  header.leave_out = options.leave_out;
  header.root_owner = own.owner;
  header.root_mode = own.mode;
  header.root_mtime = own.mtime;
  header.root_xattrs = xattrs;
  header.root_carried = options.root_carried;
  header.xattrs = options.xattrs;
  return header;
}

Outcome failed(std::string mode, std::string text, int exit = 1) {
  return Outcome{std::move(mode), exit, std::move(text), {}, {}};
}

std::string summary(const ManifestEnd& end, std::uint64_t bytes) {
  return count_of(end.directories, "directory", "directories") + ", " +
         count_of(end.entries, "entry", "entries") + ", " + std::to_string(bytes) + " bytes";
}

void add_counts(Outcome& outcome, const ManifestEnd& end, const TreeHashTotals& totals) {
  outcome.counts = {{"directories", end.directories},
                    {"entries", end.entries},
                    {"bytes", totals.bytes},
                    {"unreadable", totals.unreadable}};
}

// Two sequences in the same order, of which one comes line by line from the tree and the other from the file.
class Checker {
 public:
  Checker(ManifestReader& reader, const ManifestHeader& header, Reporter& reporter)
      : reader_(reader), header_(header), reporter_(reporter) {
    advance();
  }

  void root(const Attributes& own, Digest xattrs) {
    Attributes wanted = own;
    wanted.owner = header_.root_owner;
    wanted.mode = header_.root_mode;
    wanted.mtime = header_.root_mtime;
    std::string text;
    for (const Difference& difference : attribute_differences(wanted, own, {})) {
      text += (text.empty() ? "" : "; ") + difference.kind;
    }
    if (xattrs != header_.root_xattrs) text += (text.empty() ? "" : "; ") + std::string("xattr");
    if (text.empty()) return;
    text = "the volume's own directory differs from the manifest: " + text;
    if (header_.root_carried) {
      differ("directory-differs", ".", text);
    } else {
      reporter_.finding({Severity::expected, "root-directory", ".", text, 1});
    }
  }

  void line(const ManifestLine& found) {
    sum_.add(found);
    int order = -1;
    while (expected_ && (order = compare_in_walk_order(expected_->path, found.path)) < 0) missing();
    if (!expected_ || order > 0) {
      differ("directory-extraneous", found.path, "is not in the manifest");
      return;
    }
    if (expected_->hash != found.hash || expected_->entries != found.entries) {
      differ("directory-differs", found.path, "something in it differs from the manifest");
    }
    advance();
  }

  // What the manifest has beyond the tree's end; also checks the manifest to its own end.
  void finish() {
    while (expected_) missing();
  }

  const std::optional<Error>& problem() const { return problem_; }
  std::uint64_t differing() const { return differing_; }
  ManifestEnd end() const { return sum_.end(); }

 private:
  void advance() {
    expected_.reset();
    if (problem_) return;
    Result<std::optional<ManifestLine>> next = reader_.next();
    if (next) {
      expected_ = std::move(*next);
    } else {
      problem_ = next.error();
    }
  }
  void missing() {
    differ("directory-missing", expected_->path,
           "the manifest has it, the tree does not, or it could not be read");
    advance();
  }
  void differ(std::string kind, const std::string& path, std::string text) {
    if (problem_) return;  // the manifest itself is not right: nothing is said in its name
    ++differing_;
    reporter_.finding({Severity::error, std::move(kind), path, std::move(text), 1});
  }

  ManifestReader& reader_;
  const ManifestHeader& header_;
  Reporter& reporter_;
  std::optional<ManifestLine> expected_;
  std::optional<Error> problem_;
  std::uint64_t differing_ = 0;
  ManifestSum sum_;
};

// A manifest is trusted only as a whole: read it to its end before the tree is judged by it.
Result<ManifestHeader> read_through(const std::string& manifest) {
  TM_TRY_ASSIGN(ManifestReader reader, open_manifest(manifest));
  TM_TRY_ASSIGN(ManifestHeader header, reader.header());
  while (true) {
    TM_TRY_ASSIGN(const std::optional<ManifestLine> line, reader.next());
    if (!line) return header;
  }
}

}  // namespace

Outcome write_manifest(const Root& root, const ManifestOptions& options, Reporter& reporter) {
  Result<std::unique_ptr<ManifestWriter>> writer = ManifestWriter::open(options.output);
  if (!writer) return failed("manifest", writer.error().what);
  const TreeHashSink sink = {
      [&](const Attributes& own, Digest xattrs) { (*writer)->header(header_of(options, own, xattrs)); },
      [&](const ManifestLine& line) { (*writer)->line(line); }};
  const TreeHashTotals totals = hash_tree(
      root,
      {options.as_owner, options.owners, options.leave_out, options.xattrs, options.workers, "manifest"},
      sink, reporter);
  if (interrupted()) return failed("manifest", "stopped; no manifest was written", 143);
  if (totals.unreadable != 0) {
    Outcome outcome =
        failed("manifest", std::to_string(totals.unreadable) + " could not be read; no manifest");
    outcome.counts = {{"unreadable", totals.unreadable}};
    return outcome;
  }
  const Result<ManifestEnd> end = (*writer)->finish();
  if (!end) return failed("manifest", end.error().what);
  Outcome outcome{"manifest", 0, summary(*end, totals.bytes), {}, {{"manifest", digest_text(end->hash)}}};
  add_counts(outcome, *end, totals);
  return outcome;
}

Outcome check_manifest(const Root& root, const std::string& manifest, const CheckOptions& options,
                       Reporter& reporter) {
  const Result<ManifestHeader> header = read_through(manifest);
  if (!header) return failed("check", header.error().what);
  Result<ManifestReader> reader = open_manifest(manifest);
  if (!reader) return failed("check", reader.error().what);
  if (const Result<ManifestHeader> again = reader->header(); !again)
    return failed("check", again.error().what);
  Checker checker(*reader, *header, reporter);
  const TreeHashSink sink = {[&](const Attributes& own, Digest xattrs) { checker.root(own, xattrs); },
                             [&](const ManifestLine& line) { checker.line(line); }};
  const OwnerMap owners = options.unmapped ? OwnerMap(header->owner_rules) : OwnerMap();
  const TreeHashTotals totals =
      hash_tree(root, {options.as_owner, owners, header->leave_out, header->xattrs, options.workers, "check"},
                sink, reporter);
  if (interrupted()) return failed("check", "stopped", 143);
  checker.finish();
  if (checker.problem()) return failed("check", checker.problem()->what);
  const ManifestEnd end = checker.end();
  Outcome outcome{"check", 0, summary(end, totals.bytes) + ": all as in the manifest", {}, {}};
  outcome.facts = {{"manifest", digest_text(reader->end().hash)}};
  add_counts(outcome, end, totals);
  outcome.counts.emplace_back("differing", checker.differing());
  if (totals.unreadable != 0) {
    outcome.exit = 1;
    outcome.text = std::to_string(totals.unreadable) + " could not be read";
  } else if (checker.differing() != 0) {
    outcome.exit = 3;
    outcome.text =
        count_of(checker.differing(), "directory differs", "directories differ") + " from the manifest";
  }
  return outcome;
}

}  // namespace truenas::mover
