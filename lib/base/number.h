#pragma once
// The decimal number that a text begins with, for names that carry one ("run-3.begin", "target-2"): names of
// our own or of a known shape, where none means 0. It must not be used to check a user's input.

#include <string_view>

namespace truenas {

// "3.begin" -> 3; 0 for a text that does not begin with a digit, and for a number that no int holds.
int leading_number(std::string_view text);

}  // namespace truenas
