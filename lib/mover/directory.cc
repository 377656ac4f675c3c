#include "lib/mover/directory.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "lib/mover/identity.h"

namespace truenas::mover {
namespace {

// The kernel's struct linux_dirent64: inode 8, offset 8, record length 2, type 1, then the name.
constexpr std::size_t k_length_at = 16;
constexpr std::size_t k_type_at = 18;
constexpr std::size_t k_name_at = 19;

bool is_dot(const char* name) {
  return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

Attempt<Descriptor> open_with(int parent, const char* name, int flags) {
  const int all = O_RDONLY | O_DIRECTORY | O_CLOEXEC | flags;
  int number = ::openat(parent, name, all | O_NOATIME);
  // EPERM: O_NOATIME is only for the owner.
  if (number < 0 && errno == EPERM) number = ::openat(parent, name, all);
  if (number < 0) return Attempt<Descriptor>::failed(errno);
  return Descriptor(number);
}

}  // namespace

Attempt<Descriptor> open_directory(int parent, const char* name) {
  return open_with(parent, name, O_NOFOLLOW);
}

Attempt<Descriptor> open_directory(int parent, const char* name, std::optional<Owner> finder,
                                   std::optional<Owner> opener) {
  const Acting acting(opener);
  if (!acting.taken()) return Attempt<Descriptor>::failed(EPERM);
  Attempt<Descriptor> direct = open_directory(parent, name);
  if (direct.ok() || direct.number() != EACCES || finder == opener) return direct;
  Attempt<Descriptor> handle = Attempt<Descriptor>::failed(EACCES);
  {
    const Acting finding(finder);
    if (!finding.taken()) return Attempt<Descriptor>::failed(EPERM);
    handle = find_entry(parent, name);
  }
  if (!handle) return handle;
  const Attempt<Attributes> found = read_attributes(handle->get());
  if (!found) return Attempt<Descriptor>::failed(found.number());
  // The path of a handle on a symbolic link would be followed.
  if (found->type != FileType::directory) return Attempt<Descriptor>::failed(ENOTDIR);
  return open_with(AT_FDCWD, handle_path(*handle).c_str(), 0);
}

Attempt<Descriptor> find_entry(int parent, const char* name) {
  const int number = ::openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  if (number < 0) return Attempt<Descriptor>::failed(errno);
  return Descriptor(number);
}

std::string handle_path(const Descriptor& handle) {
  return "/proc/self/fd/" + std::to_string(handle.get());
}

Attempt<void> for_each_entry(int directory, const std::function<int(const char*, unsigned char)>& visit) {
  if (::lseek(directory, 0, SEEK_SET) < 0) return Attempt<void>::failed(errno);
  std::vector<char> block(64 * 1024);  // not on the stack: small static C libraries give a thread 128 KiB
  while (true) {
    const long got = ::syscall(SYS_getdents64, directory, block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Attempt<void>::failed(errno);
    if (got == 0) return {};
    for (std::size_t at = 0; at < static_cast<std::size_t>(got);) {
      std::uint16_t length = 0;
      std::memcpy(&length, block.data() + at + k_length_at, sizeof length);
      const char* name = block.data() + at + k_name_at;
      const auto type = static_cast<unsigned char>(block[at + k_type_at]);
      const int number = is_dot(name) ? 0 : visit(name, type);
      if (number != 0) return Attempt<void>::failed(number);
      at += length;
    }
  }
}

Attempt<Descriptor> open_itself(int directory) {
  const int number = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (number < 0) return Attempt<Descriptor>::failed(errno);
  return Descriptor(number);
}

Attempt<Listing> Listing::read(int directory, Freshness freshness) {
  Listing listing;
  listing.freshness_ = freshness;
  const Attempt<void> read = for_each_entry(directory, [&](const char* name, unsigned char) {
    listing.add(name, directory);
    // Places have 32 bits: at 255 bytes a name that is 16 million names in one directory.
    return listing.blocks_.size() + 2 >= std::size_t{1} << (32 - k_block_bits) ? ENOMEM : 0;
  });
  if (!read) return Attempt<Listing>::failed(read.number());
  listing.sort();
  return listing;
}

void Listing::add(const char* name, int directory) {
  std::uint32_t kept = k_not_kept;
  Attempt<Attributes> attributes = read_attributes(directory, name, freshness_);
  if (attributes.ok() && kept_.size() < k_kept_attributes) {
    kept = static_cast<std::uint32_t>(kept_.size());
    kept_.push_back(*attributes);
  }
  const std::size_t length = std::strlen(name) + 1;
  const std::size_t block_size = std::size_t{1} << k_block_bits;
  if (block_size - used_ < sizeof kept + length) {
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(block_size));
    used_ = 0;
  }
  char* const into = blocks_.back().get() + used_;
  std::memcpy(into, &kept, sizeof kept);
  std::memcpy(into + sizeof kept, name, length);
  order_.push_back(static_cast<std::uint32_t>(((blocks_.size() - 1) << k_block_bits) | used_));
  used_ += sizeof kept + length;
}

void Listing::sort() {
  std::sort(order_.begin(), order_.end(), [this](std::uint32_t left, std::uint32_t right) {
    return std::strcmp(record(left) + sizeof(std::uint32_t), record(right) + sizeof(std::uint32_t)) < 0;
  });
}

std::string_view Listing::name(std::size_t index) const {
  return std::string_view(record(order_[index]) + sizeof(std::uint32_t));
}

Attempt<Attributes> Listing::attributes(std::size_t index, int directory) const {
  std::uint32_t kept = k_not_kept;
  std::memcpy(&kept, record(order_[index]), sizeof kept);
  if (kept != k_not_kept) return kept_[kept];
  return read_attributes(directory, name(index).data(), freshness_);
}

}  // namespace truenas::mover
