#include "lib/mover/flags.h"

#include <doctest/doctest.h>

#include "lib/mover/command.h"
#include "lib/mover/command_flags.h"
#include "tests/unit/mover/scratch_tree.h"

using namespace truenas;
using namespace truenas::mover;

namespace {

const std::vector<Flag> k_flags = {
    {"workers"}, {"delete", Flag::Takes::nothing}, {"map-owner", Flag::Takes::value, true}};

std::string misuse(const std::vector<std::string>& words, std::size_t paths = 1) {
  const Result<Arguments> arguments = parse_arguments(words, k_flags, paths);
  REQUIRE_FALSE(arguments.ok());
  CHECK(arguments.error().kind == Kind::usage);
  return arguments.error().what;
}

}  // namespace

TEST_CASE("flags and paths in any order; values may hold anything") {
  const Result<Arguments> arguments = parse_arguments(
      {"/a", "--map-owner=0:0=1:1", "--delete", "--map-owner=*:0=*:1", "--", "--b"}, k_flags, 2);
  REQUIRE(arguments.ok());
  CHECK(arguments->paths() == std::vector<std::string>{"/a", "--b"});
  CHECK(arguments->has("delete"));
  CHECK_FALSE(arguments->value("workers").has_value());
  CHECK(arguments->values("map-owner") == std::vector<std::string>{"0:0=1:1", "*:0=*:1"});
  CHECK(parse_arguments({"--workers=", "/a"}, k_flags, 1)->value("workers") == "");
}

TEST_CASE("misuse is told plainly") {
  CHECK(misuse({"--wrokers=3", "/a"}) == "unknown flag \"--wrokers\"");
  CHECK(misuse({"-w", "/a"}) == "unknown flag \"-w\"");
  CHECK(misuse({"--delete=yes", "/a"}) == "--delete takes no value");
  CHECK(misuse({"--workers", "3"}) == "--workers needs a value: --workers=VALUE");
  CHECK(misuse({"--workers=1", "--workers=2", "/a"}) == "--workers is given twice");
  CHECK(misuse({}) == "expected 1 path, got 0");
  CHECK(misuse({"/a", "/b"}) == "expected 1 path, got 2");
  CHECK(misuse({""}) == "a path is empty");
}

TEST_CASE("numbers are decimal, complete and within their limit") {
  CHECK(*parse_number("n", "0", 10) == 0);
  CHECK(*parse_number("n", "10", 10) == 10);
  CHECK(*parse_number("n", "18446744073709551615", UINT64_MAX) == UINT64_MAX);
  for (const char* text : {"", "11", "-1", "+1", "1 ", "0x1", "1e1", "99999999999999999999999"}) {
    CHECK_FALSE(parse_number("n", text, 10).ok());
  }
  CHECK_FALSE(parse_number("n", "18446744073709551616", UINT64_MAX).ok());
}

TEST_CASE("owners are a uid, or a uid and a gid") {
  CHECK(*parse_owner("uid", "1000") == Owner{1000, 1000});
  CHECK(*parse_owner("uid", "26:27") == Owner{26, 27});
  for (const char* text : {"", ":", "1:", ":1", "postgres", "4294967295", "1:2:3"}) {
    CHECK_FALSE(parse_owner("uid", text).ok());
  }
}

TEST_CASE("what is left out is named relative to the root") {
  const auto parse = [](const std::string& path) {
    const std::vector<Flag> flags = {{"leave-out", Flag::Takes::value, true}};
    return parse_leave_out(*parse_arguments({"--leave-out=" + path}, flags, 0));
  };
  CHECK(*parse("./a/b/") == std::set<std::string>{"a/b"});
  CHECK(*parse(".X11") == std::set<std::string>{".X11"});
  for (const char* path : {"", ".", "./", "/", "/a"}) CHECK_FALSE(parse(path).ok());
}

TEST_CASE("nothing is removed without knowing that both sides are mounted") {
  CollectingReporter reporter;
  const auto complaint = [&](const std::vector<std::string>& words) {
    const Result<Outcome> outcome = run_copy(words, reporter);
    return outcome ? std::to_string(outcome->exit)
                   : std::string(kind_name(outcome.error().kind)) + ": " + outcome.error().what;
  };
  const ScratchTree tree;
  tree.directory("source");
  const std::string precious = tree.file("target-precious", "x");
  std::vector<std::string> words = {"--owners=chown", "--delete", tree.at("source"), tree.path()};
  CHECK(complaint(words) ==
        "usage: --delete needs --expect-source-mount: nothing is removed unless SRC is known to be a mounted "
        "volume");
  words.emplace_back("--expect-source-mount");
  CHECK(complaint(words) ==
        "usage: --delete needs --expect-target-mount: nothing is removed unless DST is known to be a mounted "
        "volume");
  words.emplace_back("--expect-target-mount");
  CHECK(complaint(words) == "4");  // neither of them is
  CHECK(read_whole(precious) == "x");
}
