#include "lib/mover/copy/names.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <memory>

#include "lib/mover/hashing.h"

namespace truenas::mover {

void NameDigest::add(std::string_view name) {
  Hasher hasher;
  hasher.add(name);
  const Digest digest = hasher.digest();
  ++count_;
  high_ += digest.high;
  low_ += digest.low;
}

Attempt<NameDigest> digest_names(int directory) {
  const int number = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (number < 0) return Attempt<NameDigest>::failed(errno);
  // What an NFS client keeps of a directory it trusts as long as the directory's own times stay.
  ::posix_fadvise(number, 0, 0, POSIX_FADV_DONTNEED);
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(number), ::closedir);
  if (!stream) {
    const int failure = errno;
    ::close(number);
    return Attempt<NameDigest>::failed(failure);
  }
  NameDigest digest;
  while (true) {
    errno = 0;
    const dirent* const entry = ::readdir(stream.get());
    if (entry == nullptr && errno != 0) return Attempt<NameDigest>::failed(errno);
    if (entry == nullptr) return digest;
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") digest.add(name);
  }
}

}  // namespace truenas::mover
