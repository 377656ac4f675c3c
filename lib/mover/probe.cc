#include "lib/mover/probe.h"

#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>

#include "lib/base/interrupt.h"
#include "lib/mover/identity.h"
#include "lib/mover/probe_identity.h"
#include "lib/mover/probe_space.h"

namespace truenas::mover {
namespace {

constexpr Owner k_root{0, 0};
// Nobody's, and not one that a server would squash to.
constexpr Owner k_stranger{59127, 59127};

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
      report.copying =
          try_copy(space.descriptor(), *options.copy_from, options.copy_from_writable, callers, reporter);
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
  TM_TRY(read_space(root, report));
  if (!report.seen.read_only) TM_TRY(observe(root, options, reporter, report));
  report.verdict = judge(report.seen);
  return report;
}

}  // namespace truenas::mover
