#pragma once
// Run: what all steps of one copy share. It holds no step itself; each has its own file: enter (a directory),
// merge (decide about its names), files and special (make them), links, settle (a directory's own
// attributes), remove. Steps report what fails by a finding with the path and go on; only what stops
// everything calls stop.

#include <atomic>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "lib/mover/copy.h"
#include "lib/mover/copy/apart.h"
#include "lib/mover/copy/bandwidth.h"
#include "lib/mover/copy/content.h"
#include "lib/mover/copy/decision.h"
#include "lib/mover/copy/directory_pair.h"
#include "lib/mover/copy/link_groups.h"
#include "lib/mover/copy/opened.h"
#include "lib/mover/copy/partial.h"
#include "lib/mover/copy/work.h"
#include "lib/mover/directory.h"
#include "lib/mover/nonce.h"

namespace truenas::mover {

struct Counters {
  std::atomic<std::uint64_t> entries = 0;      // names looked at on the source
  std::atomic<std::uint64_t> directories = 0;  // settled
  std::atomic<std::uint64_t> made_directories = 0;
  std::atomic<std::uint64_t> files = 0;  // whose content was copied
  std::atomic<std::uint64_t> bytes = 0;
  std::atomic<std::uint64_t> bytes_by_server = 0;
  std::atomic<std::uint64_t> links = 0;
  std::atomic<std::uint64_t> symlinks = 0;
  std::atomic<std::uint64_t> special = 0;
  std::atomic<std::uint64_t> adjusted = 0;
  std::atomic<std::uint64_t> kept = 0;
  std::atomic<std::uint64_t> removed = 0;
  std::atomic<std::uint64_t> left_out = 0;
  std::atomic<std::uint64_t> changed_while_copied = 0;
  std::atomic<std::uint64_t> expected = 0;
  std::atomic<std::uint64_t> errors = 0;
};

struct Run {
  Run(const CopyOptions& run_options, const Root& source_root, const Root& target_root,
      Reporter& run_reporter, std::size_t open_places);

  const CopyOptions& options;
  const Root& source;
  const Root& target;
  Reporter& reporter;
  DecisionRules rules;
  bool may_act = false;   // the process can act as another owner
  std::string stop_text;  // why everything was stopped; guarded by stop_mutex
  std::mutex stop_mutex;
  Counters counters;
  OpenPlaces source_places;
  OpenPlaces target_places;
  LinkGroups links;
  std::set<FileKey> again_groups;  // files with several names that are asked for again
  OpenedDirectories opened;
  Nonce nonce;
  Work work;
  BandwidthLimit bandwidth;
  ContentWays ways;
  std::shared_ptr<DirectoryPair> root;  // once it was entered
  const bool xattrs;  // to be carried; what a file system does not have is seen file by file
  PartialNames partials;

  // Whom to be when reading a file of the source that belongs to `owner`.
  std::optional<Owner> reader_of(Owner owner) const;
  // How new attributes of the source must be to decide by them. A client's cache may be a minute old, and
  // what was written meanwhile from another node would be missed: in the final pass each file costs an RPC.
  Freshness source_freshness() const {
    return options.final_pass ? Freshness::of_server : Freshness::at_hand;
  }
};

// One thread's own.
struct Worker {
  Run& run;
  std::vector<char> buffer;
};

// The two open directories that an item is in.
struct OpenPair {
  OpenDirectory source;
  OpenDirectory target;
};

// Reports an error: "cannot read: permission denied (EACCES)" on `path`, counted; conditions that no other
// file escapes (no space, quota, read-only) stop the run.
void fail(Run& run, const std::string& path, std::string_view doing, int number);
void fail(Run& run, const std::string& path, std::string kind, std::string text);
// Something changed under the run: a warning, in the final pass an error.
void changed(Run& run, const std::string& path, std::string text);

// Begins with the two roots, which are open. Kind::refused when a guard says no: nothing was changed then.
Result<void> enter_root(Worker& worker);
// The target's root directory does not stay open wide when the run ends before it is settled, or it cannot be
// given what the source's has: it gets back the mode that it came with.
void close_root(Run& run);
// One directory below: opens or makes it, lists both sides and merges them.
void enter(Worker& worker, const ChildTask& task);
// Decides about every name in the directory. `target_names` is nullptr in a directory that has just been
// made.
void merge(Worker& worker, const std::shared_ptr<DirectoryPair>& pair, const OpenPair& open,
           const Listing& source_names, const Listing* target_names);
void perform(Worker& worker, FileBatch batch);
// One entry of `pair` is done; settles the directory with the last, and those above likewise.
void finish(Run& run, std::shared_ptr<DirectoryPair> pair);
void settle(Run& run, DirectoryPair& pair);

// Makes one entry that is not a directory, or adjusts it. The target's key, or nothing when it failed (and
// was reported).
std::optional<FileKey> make_entry(Worker& worker, const FileItem& item, const OpenPair& open);
std::optional<FileKey> make_file(Worker& worker, const FileItem& item, const OpenPair& open);
std::optional<FileKey> make_symlink(Run& run, const FileItem& item, const OpenPair& open);
std::optional<FileKey> make_special(Run& run, const FileItem& item, const OpenPair& open);
std::optional<FileKey> adjust_entry(Run& run, const FileItem& item, const OpenPair& open);
// An entry with more than one link on the source. false: another worker has it now, it is not done.
bool make_linked(Worker& worker, FileItem& item, const OpenPair& open);

// Gets the directory ready for `actor` to make and remove names in it: opens it wide where needed.
bool prepare(Run& run, DirectoryPair& pair, int target, std::optional<Owner> actor);
// Removes one name from the target with all below it. false: reported.
bool remove_entry(Run& run, DirectoryPair& pair, int target, const std::string& name,
                  const Attributes& attributes);
// Gives `partial`, which `maker` has completed in the same directory, the name of `item` and so the place of
// what is there. false: reported, and what is there stays.
bool take_the_place(Run& run, const FileItem& item, int target, const std::string& partial,
                    std::optional<Owner> maker);
// Takes away `name` that was made for `item` and is not complete. Acts as the thread does. What stays there
// nevertheless is an error finding: it must not be taken for a copy.
void discard(Run& run, const FileItem& item, int target, const std::string& name);
// After a stop: directories that were opened wide get their modes, those that were found so again
// (`as_found`) or those of the source.
void close_opened(Run& run, bool as_found);
// Sets the mode of a directory of the target that belongs to `owner`, as its keeper. `doing`: of the finding
// when that fails.
void give_mode(Run& run, const std::shared_ptr<Place>& place, Owner owner, std::uint16_t mode,
               std::string_view doing);

}  // namespace truenas::mover
