#include "lib/mover/compare/content.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "lib/base/interrupt.h"

namespace truenas::mover {
namespace {

constexpr std::size_t k_block = std::size_t{256} * 1024;

// As much as fits, less only at the end of the file. -1 with errno.
ssize_t read_block(int file, char* into, std::uint64_t at) {
  std::size_t have = 0;
  while (have < k_block) {
    const ssize_t got = ::pread(file, into + have, k_block - have, static_cast<off_t>(at + have));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return -1;
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  return static_cast<ssize_t>(have);
}

void expect_sequential(int file) {
  (void)::posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
  (void)::posix_fadvise(file, 0, 0, POSIX_FADV_SEQUENTIAL);
}

// Where one side of a sparse file has data, asked a stretch at a time.
class Stretches {
 public:
  Stretches(int file, std::uint64_t size) : file_(file), size_(size) {}

  // The end of the hole that `at` lies in; `at` itself where there is data, or nobody knows.
  std::uint64_t hole_end(std::uint64_t at) {
    if (at < start_) return start_;
    if (at < end_) return at;
    const off_t data = ::lseek(file_, static_cast<off_t>(at), SEEK_DATA);
    if (data < 0 && errno == ENXIO) {
      start_ = end_ = size_;
      return size_;
    }
    const off_t hole = data < 0 ? -1 : ::lseek(file_, data, SEEK_HOLE);
    start_ = data < 0 ? at : static_cast<std::uint64_t>(data);
    end_ = hole < 0 ? size_ : static_cast<std::uint64_t>(hole);
    return start_;
  }
  // Whether its file system calls that whole block a hole.
  bool is_hole(std::uint64_t at) { return at + k_block <= size_ && hole_end(at) >= at + k_block; }

 private:
  const int file_;
  const std::uint64_t size_;
  std::uint64_t start_ = 0, end_ = 0;  // of the data found last
};

bool all_zero(const char* bytes, std::size_t size) {
  return size == 0 || (bytes[0] == 0 && std::memcmp(bytes, bytes + 1, size - 1) == 0);
}

std::size_t first_difference(const char* left, const char* right, std::size_t length) {
  return static_cast<std::size_t>(std::mismatch(left, left + length, right).first - left);
}

}  // namespace

ContentComparison compare_content(int source, int target, std::uint64_t sparse_size,
                                  std::vector<char>& buffers, std::atomic<std::uint64_t>& bytes) {
  buffers.resize(2 * k_block);
  char* left = buffers.data();
  char* right = left + k_block;
  expect_sequential(source);
  expect_sequential(target);
  ContentComparison result;
  Hasher hasher;
  Stretches source_data(source, sparse_size), target_data(target, sparse_size);
  std::uint64_t at = 0;
  while (!interrupted()) {
    const ssize_t got = read_block(source, left, at);
    if (got < 0) {
      result.number = errno;
      return result;
    }
    const bool hole = source_data.is_hole(at) && target_data.is_hole(at) &&
                      static_cast<std::size_t>(got) == k_block && all_zero(left, k_block);
    if (hole) std::memset(right, 0, k_block);
    const ssize_t other = hole ? got : read_block(target, right, at);
    if (other < 0) {
      result.number = errno;
      result.of_target = true;
      return result;
    }
    const auto length = static_cast<std::size_t>(std::min(got, other));
    bytes += static_cast<std::uint64_t>(got);
    if (std::memcmp(left, right, length) != 0 || got != other) {
      result.differs_at = at + first_difference(left, right, length);
      return result;
    }
    hasher.add(std::string_view(left, length));
    at += length;
    if (length < k_block) {
      result.digest = hasher.digest();
      return result;
    }
  }
  result.stopped = true;
  return result;
}

ContentDigest digest_content(int file, std::vector<char>& buffer, std::atomic<std::uint64_t>& bytes) {
  buffer.resize(std::max(buffer.size(), k_block));
  expect_sequential(file);
  ContentDigest result;
  Hasher hasher;
  while (!interrupted()) {
    const ssize_t got = read_block(file, buffer.data(), result.size);
    if (got < 0) {
      result.number = errno;
      return result;
    }
    const auto length = static_cast<std::size_t>(got);
    hasher.add(std::string_view(buffer.data(), length));
    result.size += length;
    bytes += length;
    if (length < k_block) {
      result.digest = hasher.digest();
      return result;
    }
  }
  result.stopped = true;
  return result;
}

}  // namespace truenas::mover
