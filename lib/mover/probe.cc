#include "lib/mover/probe.h"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <deque>

#include "lib/base/interrupt.h"
#include "lib/mover/directory.h"
#include "lib/mover/identity.h"
#include "lib/mover/probe_identity.h"
#include "lib/mover/probe_space.h"

namespace truenas::mover {
namespace {

constexpr Owner k_root{0, 0};
// Nobody's, and not one that a server would squash to.
constexpr Owner k_stranger{59127, 59127};
constexpr std::size_t k_files_looked_at = 2000;
constexpr std::size_t k_bytes_copied = 65536;

struct ReadableFile {
  Descriptor descriptor;
  std::uint64_t size = 0;
};

// Acts as the file's owner where root itself may not read.
Descriptor open_readable(int directory, const std::string& name, Owner owner) {
  constexpr int k_flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
  Descriptor file(::openat(directory, name.c_str(), k_flags));
  if (file.is_open() || (errno != EACCES && errno != EPERM)) return file;
  const Acting acting(owner);
  if (acting.taken()) file = Descriptor(::openat(directory, name.c_str(), k_flags));
  return file;
}

// Some file with content, breadth first, looking at a bounded number of names.
std::optional<ReadableFile> find_readable_file(const Root& root) {
  std::deque<Descriptor> directories;
  Attempt<Descriptor> top = open_directory(root.descriptor(), ".");
  if (!top) return std::nullopt;
  directories.push_back(std::move(*top));
  std::size_t looked_at = 0;
  while (!directories.empty() && looked_at < k_files_looked_at) {
    const Descriptor directory = std::move(directories.front());
    directories.pop_front();
    const Attempt<Listing> listing = Listing::read(directory.get());
    for (std::size_t i = 0; listing && i < listing->size() && looked_at < k_files_looked_at;
         ++i, ++looked_at) {
      const std::string name(listing->name(i));
      const Attempt<Attributes> attributes = listing->attributes(i, directory.get());
      if (!attributes) continue;
      if (attributes->type == FileType::directory && directories.size() < 100) {
        Attempt<Descriptor> deeper = open_directory(directory.get(), name.c_str());
        if (deeper) directories.push_back(std::move(*deeper));
      } else if (attributes->type == FileType::regular && attributes->size > 0) {
        Descriptor file = open_readable(directory.get(), name, attributes->owner);
        if (file.is_open()) return ReadableFile{std::move(file), attributes->size};
      }
    }
  }
  return std::nullopt;
}

void try_copy_file_range(int space, const Root& from, const std::vector<Owner>& callers,
                         ProbeReport& report) {
  const std::optional<ReadableFile> source = find_readable_file(from);
  if (!source) {
    report.copy_file_range_text =
        "not tried: no file with content to read was found in " + shown(from.path());
    return;
  }
  for (const Owner& caller : callers) {
    const Acting acting(caller);
    if (!acting.taken()) continue;
    const std::string name = probe_file(caller, "copied");
    const Descriptor target(::openat(space, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!target.is_open()) continue;
    const auto length = static_cast<std::size_t>(std::min<std::uint64_t>(source->size, k_bytes_copied));
    // The raw call, as the copier makes it: a C library must not fall back by itself.
    const long copied =
        ::syscall(SYS_copy_file_range, source->descriptor.get(), nullptr, target.get(), nullptr, length, 0U);
    const int error = copied > 0 ? 0 : copied == 0 ? EIO : errno;
    report.copy_file_range_error = error;
    report.copy_file_range_text = error == 0 ? "works" : errno_text(error);
    return;
  }
  report.copy_file_range_text = "not tried: nobody could create a file";
}

Result<void> read_space(const Root& root, ProbeReport& report) {
  struct statvfs space {};
  if (::fstatvfs(root.descriptor(), &space) != 0) {
    return system_error(errno, "cannot look at the free space of", root.path());
  }
  report.bytes_total = static_cast<std::uint64_t>(space.f_blocks) * space.f_frsize;
  report.bytes_free = static_cast<std::uint64_t>(space.f_bavail) * space.f_frsize;
  report.inodes_total = space.f_files;
  report.inodes_free = space.f_favail;
  report.seen.read_only = (space.f_flag & ST_RDONLY) != 0;
  return {};
}

Error stopped() {
  return make_error(Kind::interrupted, "stopped while probing; everything was cleaned up");
}

Result<void> observe(const Root& root, const ProbeOptions& options, Reporter& reporter, ProbeReport& report) {
  const bool is_root = acting_identity().uid == 0;
  std::vector<Owner> callers = {is_root ? k_root : acting_identity()};
  const Owner owner = root.attributes().owner;
  for (const Owner& other : options.others) callers.push_back(other);
  callers.push_back(k_stranger);
  // The directory's owner may be the only one who can do anything here.
  if (std::find(callers.begin(), callers.end(), owner) == callers.end()) callers.push_back(owner);
  if (!is_root) callers.resize(1);

  ProbeSpace space(root.descriptor(), callers, reporter);
  report.left_overs_removed = space.remove_left_overs();
  std::vector<IdentityObservation> seen(callers.size());
  for (std::size_t i = 0; i < callers.size(); ++i) {
    seen[i].as = callers[i];
    seen[i].here_error = space.try_directory(callers[i]);
    if (interrupted()) return stopped();
  }
  if (space.descriptor() >= 0) {
    for (std::size_t i = 0; i < callers.size(); ++i) {
      const Owner give_to = callers[i].uid == k_stranger.uid || callers.size() == 1
                                ? Owner{k_stranger.uid + 1, k_stranger.gid + 1}
                                : k_stranger;
      observe_identity(space.descriptor(), callers[i], give_to, seen[i]);
      if (interrupted()) return stopped();
    }
    if (options.copy_from != nullptr) {
      try_copy_file_range(space.descriptor(), *options.copy_from, callers, report);
    }
  }
  if (is_root) report.seen.root = seen.front();
  report.seen.others.assign(seen.begin() + (is_root ? 1 : 0), seen.end());
  return {};
}

}  // namespace

Result<ProbeReport> probe(const Root& root, const ProbeOptions& options, Reporter& reporter) {
  ProbeReport report;
  report.mount = root.mount();
  report.seen.type = root.mount().type;
  report.seen.directory_owner = root.attributes().owner;
  report.seen.directory_mode = root.attributes().mode;
  report.copy_file_range_text = "not tried";
  TM_TRY(read_space(root, report));
  if (!report.seen.read_only) TM_TRY(observe(root, options, reporter, report));
  report.verdict = judge(report.seen);
  return report;
}

}  // namespace truenas::mover
