#include "lib/mover/reading.h"

#include <fcntl.h>
#include <unistd.h>

#include "lib/mover/identity.h"
#include "lib/mover/nonce.h"

namespace truenas::mover {
namespace {

constexpr int k_read_flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;

Attempt<Descriptor> open_plainly(int directory, const char* name) {
  int number = ::openat(directory, name, k_read_flags | O_NOATIME);
  if (number < 0 && errno == EPERM) number = ::openat(directory, name, k_read_flags);
  if (number < 0) return Attempt<Descriptor>::failed(errno);
  return Descriptor(number);
}

// What a copy that was killed has left in a volume's root is no content of it.
void drop_nonces(Listing& listing, int directory) {
  for (std::size_t at = listing.size(); at-- > 0;) {
    if (!is_nonce_name(listing.name(at))) continue;
    const Attempt<Attributes> attributes = listing.attributes(at, directory);
    if (attributes.ok() && is_nonce(listing.name(at), *attributes)) listing.drop(at);
  }
}

}  // namespace

Result<Root> open_root(const std::string& path, const MountExpectation& expectation) {
  Result<Root> root = Root::open(path, expectation);
  if (root || root.error().kind != Kind::auth) return root;
  const Attempt<Attributes> attributes = read_attributes_of_path(path.c_str());
  if (!attributes || attributes->owner.uid == 0) return root;
  const Acting acting(attributes->owner);
  if (!acting.taken()) return root;
  return Root::open(path, expectation);
}

TreeReader::TreeReader(const Root& root, bool as_owner)
    : as_owner_(as_owner),
      owner_(root.attributes().owner),
      top_(std::make_shared<Place>(
          std::make_shared<const Descriptor>(::fcntl(root.descriptor(), F_DUPFD_CLOEXEC, 0)),
          root.attributes().key(), whom(root.attributes().owner))) {}

// Uid 0 stays what the thread is: where root is squashed there is nobody to act as instead.
std::optional<Owner> TreeReader::whom(Owner owner) const {
  if (!as_owner_ || owner.uid == 0) return std::nullopt;
  return owner;
}

Directory TreeReader::below(const Directory& parent, std::string_view name,
                            const Attributes& attributes) const {
  return Directory{
      std::make_shared<Place>(parent.place, std::string(name), attributes.key(), whom(attributes.owner)),
      attributes.owner};
}

Attempt<OpenedDirectory> TreeReader::read(const Directory& directory) {
  Attempt<OpenDirectory> handle = places_.open(directory.place);
  if (!handle) return Attempt<OpenedDirectory>::failed(handle.number());
  const Acting acting(whom(directory.owner));
  if (!acting.taken()) return Attempt<OpenedDirectory>::failed(EPERM);
  Attempt<Attributes> attributes = read_attributes((*handle)->get(), Freshness::of_server);
  if (!attributes) return Attempt<OpenedDirectory>::failed(attributes.number());
  Attempt<Listing> listing = Listing::read((*handle)->get(), Freshness::usual);
  if (!listing) return Attempt<OpenedDirectory>::failed(listing.number());
  if (!directory.place->parent()) drop_nonces(*listing, (*handle)->get());
  return OpenedDirectory{*handle, *attributes, std::move(*listing)};
}

Attempt<Attributes> TreeReader::look_above(const Directory& directory) {
  if (!directory.place->parent()) return Attempt<Attributes>::failed(ENOENT);
  const Attempt<OpenDirectory> handle = places_.open(directory.place->parent());
  if (!handle) return Attempt<Attributes>::failed(handle.number());
  return read_attributes((*handle)->get(), Freshness::of_server);
}

Attempt<Attributes> TreeReader::attributes(const OpenedDirectory& opened, std::size_t index) const {
  const Acting acting(whom(opened.attributes.owner));
  if (!acting.taken()) return Attempt<Attributes>::failed(EPERM);
  return opened.listing.attributes(index, opened.handle->get());
}

Attempt<Attributes> TreeReader::look_again(int directory, Owner directory_owner, const char* name) const {
  const Acting acting(whom(directory_owner));
  if (!acting.taken()) return Attempt<Attributes>::failed(EPERM);
  return read_attributes(directory, name, Freshness::of_server);
}

template <class T, class Call>
Attempt<T> TreeReader::as_either(Owner first, Owner second, const Call& call) const {
  const std::optional<Owner> outer = whom(first), inner = whom(second);
  {
    const Acting acting(outer);
    if (!acting.taken()) return Attempt<T>::failed(EPERM);
    Attempt<T> answer = call();
    if (answer.ok() || answer.number() != EACCES || outer == inner) return answer;
  }
  const Acting acting(inner);
  if (!acting.taken()) return Attempt<T>::failed(EPERM);
  return call();
}

Attempt<std::string> TreeReader::read_link(int directory, Owner directory_owner, const char* name) const {
  const Acting acting(whom(directory_owner));
  if (!acting.taken()) return Attempt<std::string>::failed(EPERM);
  std::string target(4096, '\0');
  const ssize_t length = ::readlinkat(directory, name, target.data(), target.size());
  if (length < 0) return Attempt<std::string>::failed(errno);
  target.resize(static_cast<std::size_t>(length));
  return target;
}

// A server that squashes root lets those list attributes who may read the file: the directory's owner reaches
// it for certain, its own owner may read it; for most files both are the same.
Attempt<ExtendedAttributes> TreeReader::xattrs_by_name(int directory, Owner directory_owner, const char* name,
                                                       Owner owner) const {
  return as_either<ExtendedAttributes>(directory_owner, owner, [&] { return read_xattrs(directory, name); });
}

Attempt<std::map<std::string, XattrRole>> TreeReader::xattr_names(int directory, Owner directory_owner,
                                                                  const char* name, Owner owner) const {
  using Names = std::map<std::string, XattrRole>;
  Attempt<Names> names =
      as_either<Names>(directory_owner, owner, [&] { return read_xattr_names(directory, name); });
  if (!names && names.number() == EOPNOTSUPP) return Names{};
  return names;
}

Attempt<Descriptor> TreeReader::open_file(int directory, Owner directory_owner, const char* name,
                                          Owner owner) const {
  const std::optional<Owner> outer = whom(directory_owner), inner = whom(owner);
  if (outer == inner) {
    const Acting acting(outer);
    if (!acting.taken()) return Attempt<Descriptor>::failed(EPERM);
    return open_plainly(directory, name);
  }
  // The directory may be closed to the file's owner: its owner finds the file, the file's own opens it.
  Descriptor found;
  {
    const Acting acting(outer);
    if (!acting.taken()) return Attempt<Descriptor>::failed(EPERM);
    found = Descriptor(::openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
    if (!found.is_open()) return Attempt<Descriptor>::failed(errno);
  }
  const Attempt<Attributes> attributes = read_attributes(found.get());
  if (!attributes) return Attempt<Descriptor>::failed(attributes.number());
  if (attributes->type == FileType::symlink) return Attempt<Descriptor>::failed(ELOOP);
  const Acting acting(inner);
  if (!acting.taken()) return Attempt<Descriptor>::failed(EPERM);
  const std::string path = "/proc/self/fd/" + std::to_string(found.get());
  const int number = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (number < 0) return Attempt<Descriptor>::failed(errno);
  return Descriptor(number);
}

Attempt<ExtendedAttributes> TreeReader::xattrs(int descriptor, Owner owner) const {
  const Acting acting(whom(owner));
  if (!acting.taken()) return Attempt<ExtendedAttributes>::failed(EPERM);
  return read_xattrs(descriptor);
}

}  // namespace truenas::mover
