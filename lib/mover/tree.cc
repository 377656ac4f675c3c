#include "lib/mover/tree.h"

#include <fcntl.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <cstdlib>
#include <optional>

#include "lib/mover/attributes.h"

namespace truenas::mover {
namespace {

constexpr std::uint64_t k_nfs_magic = 0x6969;

// The directory inside its file system that a root is, as far as the mount table tells.
struct Location {
  std::string filesystem;
  std::string directory;  // no "/" at the end, "" for the top
};

std::string without_end_slash(std::string path) {
  while (!path.empty() && path.back() == '/') path.pop_back();
  return path;
}

bool is_nfs_type(std::string_view type) {
  return type == "nfs" || type == "nfs4";
}

Location location_of(const Root& root) {
  const Mount& mount = root.mount();
  const std::string below = root.real_path().substr(without_end_slash(mount.point).size());
  const std::size_t colon = mount.source.find(":/");
  // NFS mounts always give "/" as their root, so the share's name says where they are.
  if (is_nfs_type(mount.type) && colon != std::string::npos)
    return Location{"nfs " + mount.source.substr(0, colon),
                    without_end_slash(without_end_slash(mount.source.substr(colon + 1)) + below)};
  return Location{std::to_string(mount.device), without_end_slash(without_end_slash(mount.root) + below)};
}

bool holds(const std::string& outer, const std::string& inner) {
  return inner.size() > outer.size() && inner.compare(0, outer.size(), outer) == 0 &&
         inner[outer.size()] == '/';
}

Result<std::vector<Mount>> read_mounts() {
  const Descriptor file(::open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) return system_error(errno, "cannot read", "/proc/self/mountinfo");
  std::string text;
  std::array<char, 16384> block;
  while (true) {
    const ssize_t got = ::read(file.get(), block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error(errno, "cannot read", "/proc/self/mountinfo");
    if (got == 0) return parse_mountinfo(text);
    text.append(block.data(), static_cast<std::size_t>(got));
  }
}

// The path that an open directory has now, without symbolic links.
Result<std::string> real_path_of(int descriptor, const std::string& path) {
  const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
  std::string real(PATH_MAX, '\0');
  const ssize_t length = ::readlink(link.c_str(), real.data(), real.size());
  if (length < 0) return system_error(errno, "cannot find the real path of", path);
  real.resize(static_cast<std::size_t>(length));
  return real;
}

std::string described(const Mount& mount) {
  return mount.source + " (" + mount.type + ")";
}

Result<void> check_expectation(const Root& root, const MountExpectation& expectation) {
  const Mount& mount = root.mount();
  const std::string what = "refused: " + shown(root.path());
  const bool at_mount = root.attributes().mount_root || mount.point == root.real_path();
  if (expectation.mount_point && !at_mount)
    return make_error(Kind::refused, what + " is not a mount point; it lies on " + shown(mount.point) + ", " +
                                         shown(described(mount)) + ". The volume is not mounted");
  const bool type_fits =
      expectation.type == mount.type || (expectation.type == "nfs" && mount.type == "nfs4");
  if (!expectation.type.empty() && !type_fits)
    return make_error(Kind::refused,
                      what + " is on " + shown(described(mount)) + ", not on " + shown(expectation.type));
  if (!expectation.source.empty() && expectation.source != mount.source)
    return make_error(Kind::refused, what + " is a mount of " + shown(mount.source) + ", not of " +
                                         shown(expectation.source));
  return {};
}

}  // namespace

bool Root::is_nfs() const {
  return filesystem_type_ == k_nfs_magic;
}

Result<Root> Root::open(const std::string& path, const MountExpectation& expectation) {
  Root root;
  root.path_ = path;
  root.descriptor_ = Descriptor(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root.descriptor_.is_open()) {
    Error error = system_error(errno, "cannot open", path);
    if (errno == ENOTDIR) error.kind = Kind::config;
    return error;
  }
  const Attempt<Attributes> attributes = read_attributes(root.descriptor(), Freshness::of_server);
  if (!attributes) return system_error(attributes.number(), "cannot look at", path);
  root.attributes_ = *attributes;
  struct statfs filesystem {};
  if (::fstatfs(root.descriptor(), &filesystem) != 0) return system_error(errno, "cannot look at", path);
  root.filesystem_type_ = static_cast<std::uint64_t>(filesystem.f_type);
  static_assert(sizeof filesystem.f_fsid == sizeof root.filesystem_id_);
  __builtin_memcpy(&root.filesystem_id_, &filesystem.f_fsid, sizeof root.filesystem_id_);
  TM_TRY_ASSIGN(root.real_path_, real_path_of(root.descriptor(), path));
  TM_TRY_ASSIGN(const std::vector<Mount> mounts, read_mounts());
  const Mount* mount = find_mount(mounts, root.real_path_);
  if (mount == nullptr)
    return make_error(Kind::refused, "refused: " + shown(path) + " lies on no mount that can be seen");
  root.mount_ = *mount;
  TM_TRY(check_expectation(root, expectation));
  return root;
}

Result<void> check_apart(const Root& source, const Root& target) {
  const std::string both = shown(source.path()) + " and " + shown(target.path());
  if (source.attributes().key() == target.attributes().key())
    return make_error(Kind::refused, "refused: " + both + " are the same directory");
  const Location from = location_of(source);
  const Location to = location_of(target);
  if (from.filesystem != to.filesystem) return {};
  if (from.directory == to.directory)
    return make_error(Kind::refused, "refused: " + both + " are the same directory");
  if (holds(from.directory, to.directory))
    return make_error(Kind::refused, "refused: the target " + shown(target.path()) +
                                         " lies inside the source " + shown(source.path()));
  if (holds(to.directory, from.directory))
    return make_error(Kind::refused, "refused: the source " + shown(source.path()) +
                                         " lies inside the target " + shown(target.path()));
  return {};
}

}  // namespace truenas::mover
