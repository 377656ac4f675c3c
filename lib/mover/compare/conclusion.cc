#include "lib/mover/compare/conclusion.h"

#include <fcntl.h>
#include <unistd.h>

#include "lib/base/interrupt.h"
#include "lib/base/text.h"

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

void Conclusion::entry(const std::string& path, bool is_root, const PairedEntry& entry) {
  for (const Difference& failure : entry.failed) {
    ++failed_;
    reporter_.finding({Severity::error, failure.kind, path, failure.text, 1});
  }
  const bool expected = is_root && !options_.root_carried;
  if (expected) {
    root_expected(entry);
  } else {
    for (const Difference& difference : entry.found) {
      reporter_.finding({Severity::error, difference.kind, path, difference.text, 1});
    }
  }
  if (!entry.found.empty() && !expected) ++differing_;
  if ((!entry.found.empty() && !expected) || !entry.failed.empty()) list(path);
  if (!entry.on_both) return;
  ++entries_;
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

void Conclusion::unreadable(const std::string& path, const std::string& text) {
  ++failed_;
  reporter_.finding({Severity::error, "unreadable", path, text, 1});
  list(path);
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
  }
  return outcome;
}

}  // namespace truenas::mover
