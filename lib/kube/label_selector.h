#pragma once
// Label selectors, matched here: for objects that are not there any more, about which no server can be asked.
// Pure. It must not be used in place of a list's own selector.

#include <optional>
#include <string_view>

#include "lib/json/value.h"

namespace truenas::kube {

// "a=b,c!=d,e in (f,g),h notin (i),j,!k", as kubectl's -l takes it; "" matches all. nullopt when it cannot be
// parsed.
std::optional<bool> matches_labels(std::string_view selector, const json::Value& object);

}  // namespace truenas::kube
