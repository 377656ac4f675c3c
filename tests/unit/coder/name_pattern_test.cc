// A pattern comes from a command line: it must neither hang nor eat the machine.

#include "lib/coder/name_pattern.h"

#include <doctest/doctest.h>

using namespace truenas;
using coder::NamePattern;

TEST_CASE("a pattern is searched anywhere in the name unless anchored") {
  const auto pattern = NamePattern::compile("^(coder|home)-.*-data$");
  REQUIRE(pattern.ok());
  CHECK(pattern->matches("coder-alice-data"));
  CHECK(pattern->matches("home-x-data"));
  CHECK_FALSE(pattern->matches("my-coder-alice-data"));
  CHECK(NamePattern::compile("alice")->matches("coder-alice-home"));
  const auto uuid = NamePattern::compile("^x-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$");
  REQUIRE(uuid.ok());
  CHECK(uuid->matches("x-0a7c1f52-7d3e-4c8e-9f61-2b9d6a3e5c01"));
}

TEST_CASE("patterns that are malformed, or too much, are refused") {
  for (const std::string& text :
       {std::string("("), std::string("[a"), std::string("a{2,1}"), std::string("*("), std::string("(a)\\1"),
        std::string("((a{255}){255}){255}"), std::string("(((a{1,200}){1,200})*)"), std::string(257, 'a'),
        std::string("a\0b", 3), std::string("a{99999999999999999999}")}) {
    CAPTURE(text);
    const auto pattern = NamePattern::compile(text);
    REQUIRE_FALSE(pattern.ok());
    CHECK(pattern.error().kind == Kind::usage);
    CHECK(pattern.error().what.find("pattern ") == 0);
  }
}

TEST_CASE("a pattern that backtracking would never finish is answered at once") {
  const auto pattern = NamePattern::compile("^(a+)+(a|aa)*(a*)*$");
  REQUIRE(pattern.ok());
  CHECK_FALSE(pattern->matches(std::string(253, 'a') + "!"));
}
