#pragma once
// UTF-8 as bytes, for the tokenizer. Private to lib/coder.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace truenas::coder {

// Where the first byte is that is not well-formed UTF-8 (RFC 3629); nullopt when all are.
std::optional<std::size_t> first_bad_utf8(std::string_view text);
// The bytes of a code point; "" for what is none (surrogates, beyond U+10FFFF).
std::string utf8_of(std::uint32_t code_point);
// Without Unicode's white space at both ends, as the reference implementation looks for a heredoc's end.
std::string_view without_space(std::string_view text);

}  // namespace truenas::coder
