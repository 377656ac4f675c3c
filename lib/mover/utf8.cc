#include "lib/mover/utf8.h"

namespace truenas::mover {
namespace {

// RFC 3629 §4: the length by the first byte, and the least and greatest second byte that may follow it.
struct Form {
  std::size_t length;
  unsigned char least;
  unsigned char greatest;
};

Form form_of(unsigned char first) {
  if (first < 0x80) return {1, 0, 0};
  if (first < 0xc2) return {0, 0, 0};
  if (first < 0xe0) return {2, 0x80, 0xbf};
  if (first == 0xe0) return {3, 0xa0, 0xbf};
  if (first == 0xed) return {3, 0x80, 0x9f};
  if (first < 0xf0) return {3, 0x80, 0xbf};
  if (first == 0xf0) return {4, 0x90, 0xbf};
  if (first < 0xf4) return {4, 0x80, 0xbf};
  if (first == 0xf4) return {4, 0x80, 0x8f};
  return {0, 0, 0};
}

}  // namespace

std::size_t utf8_length(std::string_view bytes) {
  if (bytes.empty()) return 0;
  const Form form = form_of(static_cast<unsigned char>(bytes[0]));
  if (form.length == 0 || bytes.size() < form.length) return 0;
  for (std::size_t at = 1; at < form.length; ++at) {
    const auto byte = static_cast<unsigned char>(bytes[at]);
    const bool second = at == 1;
    if (byte < (second ? form.least : 0x80) || byte > (second ? form.greatest : 0xbf)) return 0;
  }
  return form.length;
}

bool is_utf8(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t length = utf8_length(bytes);
    if (length == 0) return false;
    bytes.remove_prefix(length);
  }
  return true;
}

}  // namespace truenas::mover
