#include "lib/mover/hashing.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <array>
#include <new>

namespace truenas::mover {
namespace {

XXH3_state_t* state_of(std::byte* bytes) {
  return std::launder(reinterpret_cast<XXH3_state_t*>(bytes));
}
const XXH3_state_t* state_of(const std::byte* bytes) {
  return std::launder(reinterpret_cast<const XXH3_state_t*>(bytes));
}

std::optional<std::uint64_t> hex(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::uint64_t number = 0;
  for (const char c : text) {
    const std::size_t digit = digits.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    number = number << 4 | digit;
  }
  return number;
}

}  // namespace

std::string digest_text(Digest digest) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const std::uint64_t half : {digest.high, digest.low}) {
    for (int shift = 60; shift >= 0; shift -= 4) text += digits[half >> shift & 15];
  }
  return text;
}

std::optional<Digest> parse_digest(std::string_view text) {
  if (text.size() != 32) return std::nullopt;
  const auto high = hex(text.substr(0, 16)), low = hex(text.substr(16));
  if (!high || !low) return std::nullopt;
  return Digest{*high, *low};
}

Hasher::Hasher() {
  static_assert(sizeof(XXH3_state_t) <= k_state_bytes && alignof(XXH3_state_t) <= 64);
  XXH3_128bits_reset(new (state_) XXH3_state_t());
}

void Hasher::add(std::string_view bytes) {
  XXH3_128bits_update(state_of(state_), bytes.data(), bytes.size());
}

void Hasher::add_number(std::uint64_t number) {
  std::array<char, 8> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(number >> (8 * i) & 0xff);
  add(std::string_view(bytes.data(), bytes.size()));
}

void Hasher::add_field(std::string_view bytes) {
  add_number(bytes.size());
  add(bytes);
}

Digest Hasher::digest() const {
  const XXH128_hash_t hash = XXH3_128bits_digest(state_of(state_));
  return Digest{hash.high64, hash.low64};
}

}  // namespace truenas::mover
