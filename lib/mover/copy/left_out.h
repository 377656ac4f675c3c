#pragma once
// What is left out (--leave-out) is neither copied nor removed, also where the directories above it go: which
// directories those are. Pure.

#include <set>
#include <string>

namespace truenas::mover {

// Whether something that is left out lies below `directory`, at whatever depth and whether it exists or not.
// `directory` is relative to the root, "." for the root itself.
bool holds_left_out(const std::set<std::string>& leave_out, const std::string& directory);

}  // namespace truenas::mover
