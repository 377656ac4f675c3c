#include "lib/mover/compare/conclusion.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "lib/base/interrupt.h"
#include "lib/base/text.h"
#include "lib/mover/attempt.h"

namespace truenas::mover {

Result<void> Conclusion::open() {
  if (!options_.list_file.empty()) {
    list_ = Descriptor(
        ::open(options_.list_file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644));
    if (!list_.is_open()) return system_error(errno, "cannot write", options_.list_file);
  }
  if (!options_.manifest_file.empty()) {
    TM_TRY_ASSIGN(manifest_, ManifestWriter::open(options_.manifest_file));
  }
  return {};
}

void Conclusion::list(const std::string& path) {
  if (!list_.is_open() || list_number_ != 0) return;
  std::string_view bytes(path.c_str(), path.size() + 1);
  while (!bytes.empty()) {
    const ssize_t wrote = ::write(list_.get(), bytes.data(), bytes.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) {
      list_number_ = errno;
      return;
    }
    bytes.remove_prefix(static_cast<std::size_t>(wrote));
  }
}

// What a server that squashes root does not let anybody set; said once, as one finding.
void Conclusion::root_expected(const PairedEntry& own) {
  if (own.found.empty()) return;
  std::string text = "the volume's own directory cannot carry: ";
  for (const Difference& difference : own.found) {
    text += (&difference == &own.found.front() ? "" : "; ") + difference.kind + " (" + difference.text + ")";
  }
  ++expected_;
  reporter_.finding({Severity::expected, "root-directory", ".", text, 1});
}

void Conclusion::note_deed(const std::string& path, Deed deed, const GoneTree* below) {
  if (deeds_.note(path, deed, below)) return;
  ++differing_;
  list(path);
}

// What lies below a directory that the target has no more, and that nobody can have removed there.
bool Conclusion::report_below(const GoneTree& tree) {
  for (const auto& [path, difference] : tree.amiss) {
    report(path, difference);
    list(path);
  }
  differing_ += tree.late;
  failed_ += tree.unreadable;
  return tree.late + tree.unreadable != 0;
}

void Conclusion::report(const std::string& path, const Difference& difference) {
  reporter_.finding({Severity::error, difference.kind, path, difference.text, 1});
}

std::optional<Deed> Conclusion::explain(const Difference& difference, const PairedEntry& entry) const {
  if (!options_.since) return std::nullopt;
  ComparedSides sides{nullptr, nullptr, source_directory_, target_directory_};
  if (entry.on_both || entry.in_source) sides.source = &entry.source;
  if (entry.on_both) sides.target = &entry.target;
  return deed_behind(difference, sides, *options_.since);
}

void Conclusion::entry(const std::string& path, bool is_root, const PairedEntry& entry) {
  std::optional<Deed> deed;
  bool failed = false, differs = false;
  for (const Difference& failure : entry.failed) {
    const auto done = explain(failure, entry);
    if (done) deed = done;
    if (done) continue;
    failed = true;
    ++failed_;
    report(path, failure);
  }
  if (is_root && !options_.root_carried) {
    root_expected(entry);
  } else {
    for (const Difference& difference : entry.found) {
      const auto done = explain(difference, entry);
      if (done) deed = done;
      if (done) continue;
      differs = true;
      report(path, difference);
    }
  }
  if (differs) ++differing_;
  if (differs || failed) list(path);
  const bool amiss = entry.below && report_below(*entry.below);
  if (deed && !differs && !failed && !amiss) note_deed(path, *deed, entry.below.get());
  if (entry.on_both) add_numbers(path, entry);
}

void Conclusion::add_numbers(const std::string& path, const PairedEntry& entry) {
  ++entries_;
  newest_source_ = std::max(newest_source_, entry.source.ctime);
  newest_target_ = std::max(newest_target_, entry.target.ctime);
  if (entry.source.type == FileType::regular) ++files_;
  source_blocks_ += entry.source.blocks;
  target_blocks_ += entry.target.blocks;
  if (lost_holes(entry.source, entry.target)) {
    ++holes_lost_;
    reporter_.finding(
        {Severity::note, "not-sparse", path, "holes of the source take space on the target", 1});
  }
}

void Conclusion::begin_manifest(const PairedEntry& root) {
  ManifestHeader header;
  header.owner_rules = options_.owners.rules();
  header.leave_out = options_.leave_out;
  header.root_owner = root.target.owner;
  header.root_mode = root.target.mode;
  header.root_mtime = root.target.mtime;
  header.root_xattrs = root.xattrs;
  header.root_carried = options_.root_carried;
  header.xattrs = options_.xattrs;
  manifest_->header(header);
}

void Conclusion::begin(const std::string& path, bool is_root, const PairedEntry& own) {
  ++directories_;
  path_ = path;
  source_directory_ = own.source;
  target_directory_ = own.target;
  entry(path, is_root, own);
  hash_.reset();
  if (!manifest_ || differing_ != 0 || failed_ != 0) return;
  if (is_root) begin_manifest(own);
  hash_.emplace(is_root ? std::nullopt : std::optional(own.target), own.xattrs);
}

void Conclusion::add(const std::vector<PairedEntry>& entries) {
  const std::string start = path_ == "." ? std::string() : path_ + "/";
  for (const PairedEntry& one : entries) {
    // A directory on both sides speaks for itself when it is read.
    const bool directories =
        one.on_both && one.source.type == FileType::directory && one.target.type == FileType::directory;
    if (!directories) entry(start + one.name, false, one);
    if (hash_) hash_->add({one.name, one.target, one.content, one.link_text, one.xattrs, one.link_of});
  }
}

void Conclusion::end() {
  if (hash_ && differing_ == 0 && failed_ == 0) {
    manifest_->line(ManifestLine{hash_->digest(), hash_->entries(), path_});
  }
  hash_.reset();
}

Result<void> Conclusion::finish_files(Outcome& outcome) {
  if (list_.is_open() && list_number_ == 0) list_number_ = list_.close().number();
  if (list_number_ != 0) return system_error(list_number_, "cannot write", options_.list_file);
  const bool equal = differing_ == 0 && failed_ == 0 && !interrupted();
  if (!manifest_ || !equal) return {};
  TM_TRY_ASSIGN(const ManifestEnd end, manifest_->finish());
  outcome.facts.emplace_back("manifest", digest_text(end.hash));
  return {};
}

Outcome Conclusion::outcome(std::uint64_t bytes) {
  if (!deeds_.believe(entries_)) ++differing_;
  Outcome outcome;
  outcome.mode = "compare";
  const auto count = [&](const char* name, std::uint64_t number) {
    outcome.counts.emplace_back(name, number);
  };
  count("entries", entries_);
  count("directories", directories_);
  count("files", files_);
  count("bytes", bytes);
  count("differing", differing_);
  count("not_compared", failed_);
  count("expected", expected_);
  count("not_sparse", holes_lost_);
  count("bytes_allocated_source", source_blocks_ * 512);
  count("bytes_allocated_target", target_blocks_ * 512);
  outcome.facts.emplace_back("newest_change_source", time_text(newest_source_));
  outcome.facts.emplace_back("newest_change_target", time_text(newest_target_));
  deeds_.write(outcome);
  const Result<void> files = finish_files(outcome);
  const std::string entries = count_of(entries_, "entry", "entries");
  if (interrupted()) {
    outcome.exit = 143;
    outcome.text = "stopped after " + entries;
  } else if (differing_ != 0) {
    outcome.exit = 3;
    outcome.text = std::to_string(differing_) + " of " + entries + " differ";
  } else if (failed_ != 0) {
    outcome.exit = 1;
    outcome.text = std::to_string(failed_) + " could not be compared";
  } else if (!files) {
    outcome.exit = 1;
    outcome.text = files.error().what;
  } else {
    outcome.text = entries + ", " + std::to_string(bytes) + " bytes: nothing differs";
    if (const std::uint64_t done = deeds_.count(); done != 0) {
      outcome.text += " but what was done since (" + count_of(done, "path") + ")";
    }
  }
  return outcome;
}

}  // namespace truenas::mover
