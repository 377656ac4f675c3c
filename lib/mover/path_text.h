#pragma once
// Paths are bytes; documents are UTF-8. attempt.h's shown() turns a path into text, this takes it back. Pure.
//
// The escape, in every JSON line, manifest and message of the mover: a byte that is not part of well-formed
// UTF-8, a control character or a backslash is \xHH (two lower-case hex digits); everything else is itself.
// So two paths never share a text, and a text never holds a line break.

#include <optional>
#include <string>
#include <string_view>

namespace truenas::mover {

// The path whose shown() is `text`; nothing when no path's is.
std::optional<std::string> path_of_shown(std::string_view text);

// The start of `text` of at most `limit` bytes that does not end within a UTF-8 sequence.
std::string_view cut_utf8(std::string_view text, std::size_t limit);

}  // namespace truenas::mover
