#pragma once
// An object for a test, as YAML; the test fails when it is none.

#include <doctest/doctest.h>

#include <string_view>

#include "lib/json/value.h"

namespace truenas {

inline json::Value yaml(std::string_view text) {
  auto parsed = json::parse_yaml(text, "test");
  REQUIRE_MESSAGE(parsed.ok(), text);
  return std::move(parsed).value();
}

}  // namespace truenas
