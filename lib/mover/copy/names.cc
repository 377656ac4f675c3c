#include "lib/mover/copy/names.h"

#include <fcntl.h>

#include "lib/mover/directory.h"
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
  const Attempt<Descriptor> again = open_itself(directory);
  if (!again) return Attempt<NameDigest>::failed(again.number());
  // What an NFS client keeps of a directory it trusts as long as the directory's own times stay.
  ::posix_fadvise(again->get(), 0, 0, POSIX_FADV_DONTNEED);
  NameDigest digest;
  const Attempt<void> read = for_each_entry(again->get(), [&](const char* name, unsigned char) {
    digest.add(name);
    return 0;
  });
  if (!read) return Attempt<NameDigest>::failed(read.number());
  return digest;
}

}  // namespace truenas::mover
