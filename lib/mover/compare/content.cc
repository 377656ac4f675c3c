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

constexpr std::size_t k_block = 256 * 1024;

// As much as fits, less only at the end of the file. -1 with errno.
ssize_t read_block(int file, char* into) {
  std::size_t have = 0;
  while (have < k_block) {
    const ssize_t got = ::read(file, into + have, k_block - have);
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

std::size_t first_difference(const char* left, const char* right, std::size_t length) {
  return static_cast<std::size_t>(std::mismatch(left, left + length, right).first - left);
}

}  // namespace

ContentComparison compare_content(int source, int target, std::vector<char>& buffers,
                                  std::atomic<std::uint64_t>& bytes) {
  buffers.resize(2 * k_block);
  char* left = buffers.data();
  char* right = left + k_block;
  expect_sequential(source);
  expect_sequential(target);
  ContentComparison result;
  Hasher hasher;
  std::uint64_t at = 0;
  while (!interrupted()) {
    const ssize_t got = read_block(source, left);
    if (got < 0) {
      result.number = errno;
      return result;
    }
    const ssize_t other = read_block(target, right);
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
    const ssize_t got = read_block(file, buffer.data());
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
