#pragma once
// Opening and listing one directory. Every open is relative to an open directory and refuses symbolic links,
// so neither PATH_MAX nor a link that somebody puts in the way can lead elsewhere. Nothing here recurses.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/mover/attempt.h"
#include "lib/mover/attributes.h"
#include "lib/mover/descriptor.h"

namespace truenas::mover {

// Opens `name` in `parent` for listing (O_DIRECTORY, O_NOFOLLOW, and O_NOATIME where that is allowed).
// ENOTDIR or ELOOP: it is no directory (any more).
Attempt<Descriptor> open_directory(int parent, const char* name);

// The same where no single identity can do it: the one that may look into `parent` (nothing: the thread
// itself) finds the directory, its own owner opens it (through /proc/self/fd). Tried only when `opener` alone
// is refused.
Attempt<Descriptor> open_directory(int parent, const char* name, std::optional<Owner> finder,
                                   std::optional<Owner> opener);

// A handle on `name` in `parent`, whatever it is, that needs no right on it but to find it (O_PATH,
// O_NOFOLLOW).
Attempt<Descriptor> find_entry(int parent, const char* name);
// The path under which that handle can be opened, linked or changed by calls that take paths.
std::string handle_path(const Descriptor& handle);

// The same directory once more, with a place of its own to read from.
Attempt<Descriptor> open_itself(int directory);

// All names of an open directory from its beginning, but "." and "..", in the order in which the file system
// gives them. `visit` gets the name, valid for the call, and its d_type (DT_UNKNOWN where that is not known);
// an errno from it ends the reading and is the error.
Attempt<void> for_each_entry(int directory,
                             const std::function<int(const char* name, unsigned char type)>& visit);

// The names in one directory, sorted by their bytes, without "." and "..". The attributes of the first
// k_kept_attributes (in the order the file system gives them) are kept; those of the rest are asked for
// again, which NFS answers from its cache: so the largest directory of all costs its names, not its
// attributes.
class Listing {
 public:
  static constexpr std::size_t k_kept_attributes = 32768;

  // Reads the whole directory from its beginning, and the attributes of every name right behind each block of
  // names (which keeps NFS on READDIRPLUS). Attributes that could not be read are asked for again later.
  // `freshness`: of these attributes, now and when they are asked for later.
  static Attempt<Listing> read(int directory, Freshness freshness = Freshness::at_hand);

  std::size_t size() const { return order_.size(); }
  bool empty() const { return order_.empty(); }
  // NUL-terminated behind its end; valid as long as the listing.
  std::string_view name(std::size_t index) const;
  // As if it had not been there.
  void drop(std::size_t index) { order_.erase(order_.begin() + static_cast<std::ptrdiff_t>(index)); }
  // ENOENT: it has vanished since.
  Attempt<Attributes> attributes(std::size_t index, int directory) const;

 private:
  static constexpr std::uint32_t k_not_kept = 0xffffffff;
  void add(const char* name, int directory);
  void sort();

  const char* record(std::uint32_t where) const {
    return blocks_[where >> k_block_bits].get() + (where & k_within);
  }

  // Names lie in blocks, because one growing piece would for a moment be there twice.
  static constexpr unsigned k_block_bits = 16;
  static constexpr std::uint32_t k_within = (1U << k_block_bits) - 1;
  std::vector<std::unique_ptr<char[]>> blocks_;        // records: 4 bytes index into kept_, the name, NUL
  std::size_t used_ = std::size_t{1} << k_block_bits;  // of the last block
  std::vector<std::uint32_t> order_;  // where each record is: block, offset in it; sorted by name
  std::vector<Attributes> kept_;
  Freshness freshness_ = Freshness::at_hand;
};

}  // namespace truenas::mover
