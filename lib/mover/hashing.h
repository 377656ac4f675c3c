#pragma once
// XXH3 with 128 bits (libxxhash's header, compiled in): finds what a faulty copy, cable or disk changed. It
// is not cryptographic: it does not protect against somebody who forges a file on purpose.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace truenas::mover {

struct Digest {
  std::uint64_t high = 0, low = 0;
  auto operator<=>(const Digest&) const = default;
};
// 32 lower-case hex digits, most significant first (xxhsum's canonical form); and back.
std::string digest_text(Digest digest);
std::optional<Digest> parse_digest(std::string_view text);

class Hasher {
 public:
  Hasher();
  void add(std::string_view bytes);
  // Length and bytes, so that two fields never read as one.
  void add_field(std::string_view bytes);
  void add_number(std::uint64_t number);
  Digest digest() const;

 private:
  static constexpr std::size_t k_state_bytes = 640;
  alignas(64) std::byte state_[k_state_bytes];  // libxxhash's state: its header stays in hashing.cc
};

}  // namespace truenas::mover
