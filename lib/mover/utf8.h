#pragma once
// Whether the bytes of a file's name are UTF-8 (RFC 3629). Names are bytes to the mover; only showing them
// and counting those that are not text asks this.

#include <cstddef>
#include <string_view>

namespace truenas::mover {

// The length (1 to 4) of the well-formed sequence that `bytes` begins with; 0 if it begins with none.
std::size_t utf8_length(std::string_view bytes);
bool is_utf8(std::string_view bytes);

}  // namespace truenas::mover
