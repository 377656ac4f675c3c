#include "lib/mover/probe_copy.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <deque>
#include <memory>

#include "lib/mover/directory.h"
#include "lib/mover/identity.h"
#include "lib/mover/probe_space.h"

namespace truenas::mover {
namespace {

constexpr std::size_t k_files_looked_at = 2000;
constexpr std::size_t k_bytes_copied = 65536;

struct ReadableFile {
  std::unique_ptr<ProbeSpace> made_in;  // nothing: the file was there
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
        if (file.is_open()) return ReadableFile{nullptr, std::move(file), attributes->size};
      }
    }
  }
  return std::nullopt;
}

std::optional<ReadableFile> make_readable_file(const Root& root, std::vector<Owner> callers,
                                               Reporter& reporter) {
  callers.push_back(root.attributes().owner);  // who may be the only one to write there
  // Left-overs of killed probes stay for a probe of `root` itself: this one may be at work there, too.
  auto space = std::make_unique<ProbeSpace>(root.descriptor(), callers, reporter);
  for (const Owner& caller : callers) {
    if (space->descriptor() < 0) space->try_directory(caller);
  }
  const std::string content(k_bytes_copied, 'x');
  for (const Owner& caller : callers) {
    const Acting acting(caller);
    if (space->descriptor() < 0 || !acting.taken()) continue;
    const std::string name = probe_file(caller, "file");
    Descriptor file(::openat(space->descriptor(), name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    // Whoever its maker becomes on the other share must be able to read it: a server copies as that one.
    if (!file.is_open() || ::fchmod(file.get(), 0644) != 0) continue;
    if (::pwrite(file.get(), content.data(), content.size(), 0) != static_cast<ssize_t>(content.size()))
      continue;
    return ReadableFile{std::move(space), std::move(file), content.size()};
  }
  return std::nullopt;
}

// "" where the kernel keeps none.
std::string read_mount_statistics() {
  const Descriptor file(::open("/proc/self/mountstats", O_RDONLY | O_CLOEXEC));
  std::string text;
  std::array<char, 16384> block;
  while (file.is_open()) {
    const ssize_t got = ::read(file.get(), block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    text.append(block.data(), static_cast<std::size_t>(got));
  }
  return text;
}

}  // namespace

std::uint64_t count_server_copies(std::string_view mountstats) {
  constexpr std::string_view k_copy = "COPY: ";
  std::uint64_t copies = 0;
  while (!mountstats.empty()) {
    const std::size_t end = std::min(mountstats.find('\n'), mountstats.size());
    std::string_view line = mountstats.substr(0, end);
    mountstats.remove_prefix(std::min(end + 1, mountstats.size()));
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    if (!line.starts_with(k_copy)) continue;
    line.remove_prefix(k_copy.size());
    std::uint64_t number = 0;
    if (std::from_chars(line.data(), line.data() + line.size(), number).ec == std::errc{}) copies += number;
  }
  return copies;
}

CopyTrial try_copy(int space, const Root& from, bool writable, const std::vector<Owner>& callers,
                   Reporter& reporter) {
  CopyTrial trial;
  const std::optional<ReadableFile> source =
      writable ? make_readable_file(from, callers, reporter) : find_readable_file(from);
  if (!source) {
    trial.text = writable ? "not tried: nobody could make a file in " + shown(from.path())
                          : "not tried: no file with content to read was found in " + shown(from.path());
    trial.by_server = trial.text;
    return trial;
  }
  for (const Owner& caller : callers) {
    const Acting acting(caller);
    if (!acting.taken()) continue;
    const std::string name = probe_file(caller, "copied");
    const Descriptor target(::openat(space, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!target.is_open()) continue;
    const auto length = static_cast<std::size_t>(std::min<std::uint64_t>(source->size, k_bytes_copied));
    loff_t start = 0;  // where the source's own position stands does not matter
    const std::uint64_t before = count_server_copies(read_mount_statistics());
    // The raw call, as the copier makes it: a C library must not fall back by itself.
    const long copied =
        ::syscall(SYS_copy_file_range, source->descriptor.get(), &start, target.get(), nullptr, length, 0U);
    const int error = copied > 0 ? 0 : copied == 0 ? EIO : errno;
    const bool by_server = count_server_copies(read_mount_statistics()) > before;
    trial.error = error;
    trial.text = error == 0 ? "works" : errno_text(error);
    trial.by_server = error != 0  ? "no: " + errno_text(error)
                      : by_server ? "yes"
                                  : "no: every byte goes through the client";
    return trial;
  }
  trial.text = trial.by_server = "not tried: nobody could create a file";
  return trial;
}

}  // namespace truenas::mover
