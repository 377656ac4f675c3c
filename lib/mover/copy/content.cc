#include "lib/mover/copy/content.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "lib/base/interrupt.h"
#include "lib/mover/identity.h"

namespace truenas::mover {
namespace {

constexpr std::uint64_t k_block = 4096;           // what a hole is made of
constexpr std::uint64_t k_buffer = 512 * 1024;    // the usual rsize and wsize of NFS
constexpr std::uint64_t k_chunk = 128ULL << 20;   // far below the 2 GiB where some kernels and libraries err
constexpr std::uint64_t k_seek_from = 64 * 1024;  // smaller files are looked through for zeros instead

bool all_zero(const char* bytes, std::size_t size) {
  return size == 0 || (bytes[0] == 0 && std::memcmp(bytes, bytes + 1, size - 1) == 0);
}

// What copy_file_range says when these two files cannot be copied that way.
bool asks_for_another_way(int number) {
  switch (number) {
    case EXDEV:
    case EOPNOTSUPP:
    case EINVAL:
    case ENOSYS:
    case EPERM:  // a seccomp profile that does not know the call
    case ETXTBSY:
    case EACCES:  // a server that asks who acts now for the right to read, not who opened the file
      return true;
    default:
      return false;
  }
}

int write_fully(int to, const char* bytes, std::size_t size, std::uint64_t at) {
  while (size > 0) {
    const ssize_t done = ::pwrite(to, bytes, size, static_cast<off_t>(at));
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return errno;
    if (done == 0) return EIO;
    bytes += done;
    size -= static_cast<std::size_t>(done);
    at += static_cast<std::uint64_t>(done);
  }
  return 0;
}

// Writes the pieces of a buffer that are not blocks of zeros.
int write_nonzero(int to, const char* bytes, std::size_t size, std::uint64_t at) {
  std::size_t start = 0;  // of what is not written yet
  for (std::size_t here = 0; here < size;) {
    const auto step = static_cast<std::size_t>(k_block - (at + here) % k_block);
    const std::size_t length = std::min(step, size - here);
    if (all_zero(bytes + here, length)) {
      if (const int number = write_fully(to, bytes + start, here - start, at + start)) return number;
      start = here + length;
    }
    here += length;
  }
  return write_fully(to, bytes + start, size - start, at + start);
}

}  // namespace

ContentMover::Range ContentMover::next_data(int from, std::uint64_t at, std::uint64_t size) {
  if (!ways_.seek_data) return {at, size};
  const Acting asking(reader_);
  const off_t data = ::lseek(from, static_cast<off_t>(at), SEEK_DATA);
  if (data < 0 && errno == ENXIO) return {size, size, true};
  if (data < 0) {
    if (errno == EINVAL || errno == EOPNOTSUPP || errno == ENOSYS) ways_.seek_data = false;
    return {at, size};
  }
  const off_t hole = ::lseek(from, data, SEEK_HOLE);
  const std::uint64_t end = hole < 0 ? size : std::min(static_cast<std::uint64_t>(hole), size);
  const std::uint64_t start = std::min(static_cast<std::uint64_t>(data), size);
  // A hole at once behind the data would be an empty range, and the walk would not move on.
  return {start, std::max(end, std::min(start + 1, size)), true};
}

ContentOutcome ContentMover::move(int from, int to, const Attributes& source, std::vector<char>& buffer) {
  ContentOutcome outcome;
  const std::uint64_t size = source.size;
  // Fewer blocks than bytes: holes, or compression.
  const bool thin = source.blocks * 512 < size;
  const bool seek = thin && size > k_seek_from && ways_.seek_data;
  Range range;
  while (range.end < size && outcome.number == 0 && !outcome.shrank && !outcome.stopped) {
    range = seek ? next_data(from, range.end, size) : Range{range.end, size};
    if (range.at < range.end) move_range(from, to, range, thin, buffer, outcome);
  }
  if (outcome.number != 0 || outcome.shrank || outcome.stopped || !thin) return outcome;
  // What ends in a hole was not written to its end.
  if (::ftruncate(to, static_cast<off_t>(size)) != 0) outcome.number = errno;
  return outcome;
}

// NFS 3 answers every search for data, and calls all of it data: zeros of a thin file stay holes only if they
// are looked for in what is read, too.
void ContentMover::move_range(int from, int to, Range range, bool thin, std::vector<char>& buffer,
                              ContentOutcome& outcome) {
  // Small files, too: a COPY is one RPC where a READ and a WRITE are two. But it would fill holes.
  const bool solid = !thin || range.known;
  if (solid && ways_.range_copy && move_by_server(from, to, range, outcome)) return;
  if (outcome.number == 0 && !outcome.stopped) move_by_buffer(from, to, range, thin, buffer, outcome);
}

bool ContentMover::move_by_server(int from, int to, Range& range, ContentOutcome& outcome) {
  while (range.at < range.end) {
    if (interrupted()) {
      outcome.stopped = true;
      return false;
    }
    const std::uint64_t portion = bandwidth_.portion(std::min(k_chunk, range.end - range.at));
    bandwidth_.take(portion);
    auto in = static_cast<loff_t>(range.at);
    auto out = static_cast<loff_t>(range.at);
    // The raw call: two releases of a C library cut its result to 32 bits.
    const long done =
        ::syscall(SYS_copy_file_range, from, &in, to, &out, static_cast<std::size_t>(portion), 0U);
    if (done < 0 && errno == EINTR) continue;
    if (done < 0 && asks_for_another_way(errno)) {
      if (errno != EINVAL && errno != ETXTBSY && errno != EACCES) ways_.range_copy = false;
      return false;
    }
    if (done < 0) {
      outcome.number = errno;
      return false;
    }
    // 0 is the end of the source, or a file system that cannot: reading tells.
    if (done == 0) return false;
    range.at += static_cast<std::uint64_t>(done);
    outcome.written += static_cast<std::uint64_t>(done);
    outcome.by_range += static_cast<std::uint64_t>(done);
  }
  return true;
}

void ContentMover::move_by_buffer(int from, int to, Range range, bool skip_zeros, std::vector<char>& buffer,
                                  ContentOutcome& outcome) {
  const std::uint64_t portion = bandwidth_.portion(std::min(k_buffer, range.end - range.at));
  if (buffer.size() < portion) buffer.resize(portion);
  while (range.at < range.end) {
    if (interrupted()) {
      outcome.stopped = true;
      return;
    }
    const auto want = static_cast<std::size_t>(std::min(portion, range.end - range.at));
    const ssize_t got = ::pread(from, buffer.data(), want, static_cast<off_t>(range.at));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      outcome.reading = true;
      outcome.number = got < 0 ? errno : 0;
      outcome.shrank = got == 0;
      return;
    }
    const auto length = static_cast<std::size_t>(got);
    bandwidth_.take(length);
    outcome.number = skip_zeros ? write_nonzero(to, buffer.data(), length, range.at)
                                : write_fully(to, buffer.data(), length, range.at);
    if (outcome.number != 0) return;
    range.at += length;
    outcome.written += length;
  }
}

}  // namespace truenas::mover
