#include "lib/mover/manifest_hash.h"

namespace truenas::mover {

Digest digest_of(const ExtendedAttributes& xattrs) {
  Hasher hasher;
  for (const auto& [name, value] : xattrs) {
    hasher.add_field(name);
    hasher.add_field(value);
  }
  return hasher.digest();
}

DirectoryHash::DirectoryHash(const std::optional<Attributes>& own, Digest xattrs) {
  if (!own) return;
  add_attributes(*own);
  hasher_.add_number(xattrs.high);
  hasher_.add_number(xattrs.low);
}

void DirectoryHash::add_attributes(const Attributes& attributes) {
  hasher_.add_number(static_cast<std::uint64_t>(attributes.type));
  hasher_.add_number(attributes.owner.uid);
  hasher_.add_number(attributes.owner.gid);
  hasher_.add_number(attributes.type == FileType::symlink ? 0 : attributes.mode);
  hasher_.add_number(static_cast<std::uint64_t>(attributes.mtime.seconds));
  hasher_.add_number(attributes.mtime.nanoseconds);
}

void DirectoryHash::add(const ManifestEntry& entry) {
  ++entries_;
  hasher_.add_field(entry.name);
  if (entry.attributes.type == FileType::directory) {
    hasher_.add_number(static_cast<std::uint64_t>(FileType::directory));
    return;
  }
  add_attributes(entry.attributes);
  const bool device =
      entry.attributes.type == FileType::block_device || entry.attributes.type == FileType::character_device;
  hasher_.add_number(entry.attributes.type == FileType::regular ? entry.attributes.size : 0);
  hasher_.add_number(device ? entry.attributes.rdev : 0);
  for (const Digest& digest : {entry.content, entry.xattrs}) {
    hasher_.add_number(digest.high);
    hasher_.add_number(digest.low);
  }
  hasher_.add_field(entry.link_text);
  hasher_.add_field(entry.link_of);
}

}  // namespace truenas::mover
