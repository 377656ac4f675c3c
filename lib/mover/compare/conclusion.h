#pragma once
// What comparisons come to: findings, the list of paths, the manifest and the numbers. One thread at a time,
// in the order of the walk.

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lib/mover/compare.h"
#include "lib/mover/compare/deeds.h"
#include "lib/mover/compare/difference.h"
#include "lib/mover/compare/gone_tree.h"
#include "lib/mover/compare/manifest_writer.h"
#include "lib/mover/compare/since.h"
#include "lib/mover/manifest_hash.h"

namespace truenas::mover {

// One name: on both sides, or on one (then `found` says which).
struct PairedEntry {
  std::string name;
  bool on_both = false;
  bool in_source = false;  // of a name on one side: `source` is known
  Attributes source, target;
  std::vector<Difference> found;
  std::vector<Difference> failed;  // what could not be compared: kind unreadable or changed-while-compared
  Digest content;
  std::string link_text;
  Digest xattrs;                          // of the target
  std::string link_of;                    // FirstNames, on the target
  std::shared_ptr<const GoneTree> below;  // of a directory that the target has no more
};

class Conclusion {
 public:
  Conclusion(const CompareOptions& options, Reporter& reporter)
      : options_(options), reporter_(reporter), deeds_(options, reporter) {}
  // Opens the list and the manifest.
  Result<void> open();

  // A directory, then all its entries in order, in as many parts as the caller likes, then its end.
  void begin(const std::string& path, bool is_root, const PairedEntry& own);
  void add(const std::vector<PairedEntry>& entries);
  void end();
  // A directory that could not be read on one side: what has failed, and what is known of the source's.
  void unreadable(const std::string& path, const PairedEntry& directory) { entry(path, false, directory); }

  std::uint64_t differing() const { return differing_; }  // paths; any thread may ask
  // Completes the manifest, if nothing differs.
  Outcome outcome(std::uint64_t bytes);

 private:
  void entry(const std::string& path, bool is_root, const PairedEntry& entry);
  void root_expected(const PairedEntry& own);
  // Of what is no error, for somebody did it.
  std::optional<Deed> explain(const Difference& difference, const PairedEntry& entry) const;
  void report(const std::string& path, const Difference& difference);
  void note_deed(const std::string& path, Deed deed, const GoneTree* below);
  bool report_below(const GoneTree& tree);
  void add_numbers(const std::string& path, const PairedEntry& entry);
  void begin_manifest(const PairedEntry& root);
  void list(const std::string& path);
  Result<void> finish_files(Outcome& outcome);

  const CompareOptions& options_;
  Reporter& reporter_;
  Descriptor list_;
  int list_number_ = 0;
  std::unique_ptr<ManifestWriter> manifest_;
  std::string path_;                                // of the directory that was begun
  std::optional<DirectoryHash> hash_;               // of that directory, as long as nothing differs
  Attributes source_directory_, target_directory_;  // as they were when it was opened
  Timestamp newest_source_, newest_target_;         // ctime
  Deeds deeds_;
  std::atomic<std::uint64_t> differing_{0};
  std::uint64_t entries_ = 0, directories_ = 0, files_ = 0, failed_ = 0, expected_ = 0;
  std::uint64_t holes_lost_ = 0, source_blocks_ = 0, target_blocks_ = 0;
};

}  // namespace truenas::mover
