#include "lib/http/pem.h"

#include <fmt/format.h>

#include <optional>
#include <string>

#include "lib/base/text.h"

namespace truenas::http {
namespace {

// One DER SEQUENCE that fills `der` exactly (X.690 §8.1.3).
bool is_whole_sequence(std::string_view der) {
  if (der.size() < 2 || der[0] != 0x30) return false;
  const auto first = static_cast<unsigned char>(der[1]);
  if (first < 0x80) return der.size() == 2u + first;
  const std::size_t count = first & 0x7fu;
  if (count == 0 || count > 4 || der.size() < 2 + count) return false;
  std::size_t length = 0;
  for (std::size_t i = 0; i < count; ++i) length = length << 8 | static_cast<unsigned char>(der[2 + i]);
  return der.size() == 2 + count + length;
}

// The base64 between the BEGIN and END lines of the block that starts at `begin`; nullopt when it has no end.
std::optional<std::string_view> block_body(std::string_view pem, std::size_t begin, std::string_view label) {
  const std::size_t start = pem.find("-----", begin + 11 + label.size());
  if (start == std::string_view::npos) return std::nullopt;
  const std::size_t end = pem.find(fmt::format("-----END {}-----", label), start);
  if (end == std::string_view::npos) return std::nullopt;
  return pem.substr(start + 5, end - start - 5);
}

bool block_is_whole(std::string_view pem, std::size_t begin, std::string_view label) {
  const std::optional<std::string_view> body = block_body(pem, begin, label);
  if (!body) return false;
  std::string text;
  for (const char c : *body) {
    if (c != ' ' && c != '\t' && c != '\r' && c != '\n') text += c;
  }
  const std::optional<std::string> der = base64_decode(text);
  return der && is_whole_sequence(*der);
}

}  // namespace

Result<void> check_certificates(std::string_view pem, std::string_view what) {
  constexpr std::string_view begin = "-----BEGIN CERTIFICATE-----";
  std::size_t count = 0;
  for (std::size_t at = pem.find(begin); at != std::string_view::npos; at = pem.find(begin, at + 1)) {
    ++count;
    if (!block_is_whole(pem, at, "CERTIFICATE")) {
      return make_error(Kind::config, fmt::format("{}: certificate {} cannot be parsed", what, count));
    }
  }
  if (count == 0) return make_error(Kind::config, fmt::format("{}: no PEM certificate in it", what));
  return {};
}

Result<void> check_private_key(std::string_view pem, std::string_view what) {
  if (contains(pem, "-----BEGIN ENCRYPTED PRIVATE KEY-----") || contains(pem, "Proc-Type: 4,ENCRYPTED")) {
    return make_error(Kind::config, fmt::format("{}: an encrypted private key cannot be used", what));
  }
  for (const std::string_view label : {"PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"}) {
    const std::size_t at = pem.find(fmt::format("-----BEGIN {}-----", label));
    if (at == std::string_view::npos) continue;
    if (block_is_whole(pem, at, label)) return {};
    return make_error(Kind::config, fmt::format("{}: the private key cannot be parsed", what));
  }
  return make_error(Kind::config, fmt::format("{}: no PEM private key in it", what));
}

}  // namespace truenas::http
