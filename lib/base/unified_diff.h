#pragma once
// Two texts side by side as a unified diff, as diff -u prints it. Pure.

#include <string>
#include <string_view>

namespace truenas {

// "" when the texts are the same. Three lines of context; lines keep their line ends, CR included; a last
// line without one is marked as diff marks it. `path` gets the prefixes a/ and b/.
std::string unified_diff(std::string_view path, std::string_view before, std::string_view after);

}  // namespace truenas
