#pragma once
// Label and field selectors of list and watch requests. Pure.

#include <optional>
#include <string_view>

#include "lib/json/value.h"

namespace truenas::fakes {

// "a=b,c!=d,e in (f,g),h notin (i),j,!k". nullopt when it cannot be parsed.
std::optional<bool> matches_labels(std::string_view selector, const json::Value& object);
// "metadata.name=x,involvedObject.uid!=y": any path of strings. nullopt when it cannot be parsed.
std::optional<bool> matches_fields(std::string_view selector, const json::Value& object);

}  // namespace truenas::fakes
