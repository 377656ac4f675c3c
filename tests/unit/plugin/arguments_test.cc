// Flags as kubectl's users write them.

#include "plugin/arguments.h"

#include <doctest/doctest.h>

#include "lib/base/interrupt.h"
#include "plugin/exit_code.h"
#include "plugin/output.h"

using namespace truenas;
using plugin::parse_arguments;

namespace {

std::vector<plugin::FlagGroup> flags() {
  return {{"Flags",
           {
               {"namespace", 'n', "NAME", "Namespace.", "default-ns"},
               {"as-group", 0, "GROUP", "Group.", "", true},
               {"yes", 'y', "", "Yes."},
               {"v", 'v', "LEVEL", "Level."},
               {"dry-run", 0, "HOW", "Dry run.", "none", false, "client"},
           }}};
}

}  // namespace

TEST_CASE("every spelling of a value means the same") {
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {"--namespace=coder"}, {"--namespace", "coder"}, {"-n", "coder"}, {"-n=coder"}, {"-ncoder"}}) {
    CAPTURE(words[0]);
    const auto parsed = parse_arguments(flags(), words);
    REQUIRE(parsed.ok());
    CHECK(parsed->text("namespace") == "coder");
    CHECK(parsed->positionals().empty());
  }
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"-v=8"}, {"-v", "8"}, {"--v=8"}, {"--v", "8"}, {"-v8"}}) {
    CAPTURE(words[0]);
    const auto parsed = parse_arguments(flags(), words);
    REQUIRE(parsed.ok());
    CHECK(parsed->text("v") == "8");
  }
}

TEST_CASE("a flag that was not given has its fallback and says so") {
  const auto parsed = parse_arguments(flags(), {});
  REQUIRE(parsed.ok());
  CHECK_FALSE(parsed->given("namespace"));
  CHECK(parsed->text("namespace") == "default-ns");
  CHECK_FALSE(parsed->optional_text("namespace").has_value());
  CHECK_FALSE(parsed->yes("yes"));
}

TEST_CASE("repeated values keep their commas and their order") {
  const auto parsed = parse_arguments(flags(), {"--as-group", "a,b", "--as-group=c"});
  REQUIRE(parsed.ok());
  CHECK(parsed->texts("as-group") == std::vector<std::string>{"a,b", "c"});
}

TEST_CASE("a flag that may stand bare does not eat the word after it") {
  const auto parsed = parse_arguments(flags(), {"--dry-run", "coder-postgres", "-y"});
  REQUIRE(parsed.ok());
  CHECK(parsed->text("dry-run") == "client");
  CHECK(parsed->positionals() == std::vector<std::string>{"coder-postgres"});
  CHECK(parsed->yes("yes"));
  CHECK(parse_arguments(flags(), {"--dry-run=server"})->text("dry-run") == "server");
}

TEST_CASE("yes=false is no") {
  CHECK_FALSE(parse_arguments(flags(), {"--yes=false"})->yes("yes"));
}

TEST_CASE("an unknown flag is refused, with the nearest one") {
  const auto parsed = parse_arguments(flags(), {"--namespce=x"});
  REQUIRE_FALSE(parsed.ok());
  CHECK(parsed.error().kind == Kind::usage);
  CHECK(parsed.error().what == "unknown flag: --namespce");
  REQUIRE(parsed.error().hints.size() == 1);
  CHECK(parsed.error().hints[0] == "did you mean --namespace?");
}

TEST_CASE("words after -- are no flags") {
  const auto parsed = parse_arguments(flags(), {"--", "-n=x"});
  REQUIRE(parsed.ok());
  CHECK(parsed->positionals() == std::vector<std::string>{"-n=x"});
}

TEST_CASE("each kind of failure has its exit code") {
  CHECK(plugin::exit_code_of(Kind::usage) == 2);
  CHECK(plugin::exit_code_of(Kind::mismatch) == 3);
  CHECK(plugin::exit_code_of(Kind::refused) == 4);
  CHECK(plugin::exit_code_of(Kind::stopped) == 5);
  CHECK(plugin::exit_code_of(Kind::outcome_unknown) == 5);
  CHECK(plugin::exit_code_of(Kind::auth) == 10);
  CHECK(plugin::exit_code_of(Kind::unavailable) == 10);
  CHECK(plugin::exit_code_of(Kind::config) == 10);
  CHECK(plugin::exit_code_of(Kind::locked) == 11);
  CHECK(plugin::exit_code_of(Kind::bug) == 70);
  CHECK(plugin::exit_code_of(Kind::interrupted) == 130);
  request_interrupt(15);
  CHECK(plugin::exit_code_of(Kind::interrupted) == 143);
  clear_interrupt();
}

TEST_CASE("output formats are kubectl's, and others are refused in its words") {
  CHECK(plugin::parse_output_format("JSON").value() == plugin::OutputFormat::json);
  CHECK(plugin::parse_output_format("").value() == plugin::OutputFormat::table);
  const auto bad = plugin::parse_output_format("jsonpath={.x}");
  REQUIRE_FALSE(bad.ok());
  CHECK(bad.error().kind == Kind::usage);
  CHECK(bad.error().what.find("unable to match a printer suitable for the output format") == 0);
}
