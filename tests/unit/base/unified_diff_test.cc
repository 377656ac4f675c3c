#include "lib/base/unified_diff.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

using namespace truenas;

namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size() - 1) + 1;
    lines.push_back(text.substr(at, end - at));
    at = end;
  }
  return lines;
}

// What patch does: checks every context line and every removed one.
std::string applied(const std::string& before, const std::string& diff) {
  const std::vector<std::string> old_lines = lines_of(before), lines = lines_of(diff);
  std::string after;
  std::size_t at = 0;
  for (std::size_t i = 2; i < lines.size(); ++i) {
    const char sign = lines[i][0];
    if (sign == '@') {
      std::size_t start = std::stoul(lines[i].substr(4));
      if (lines[i].substr(4, lines[i].find(" +") - 4).find(",0") == std::string::npos) --start;
      while (at < start) after += old_lines.at(at++);
      continue;
    }
    std::string line = lines[i].substr(1);
    if (i + 1 < lines.size() && lines[i + 1][0] == '\\') line.pop_back();
    if (sign == '\\') continue;
    if (sign != '+' && old_lines.at(at++) != line) return "does not apply";
    if (sign != '-') after += line;
  }
  while (at < old_lines.size()) after += old_lines[at++];
  return after;
}

}  // namespace

TEST_CASE("unified diffs") {
  CHECK(unified_diff("x", "a\n", "a\n") == "");
  CHECK(unified_diff("x", "a\nb\nc\n", "a\nc\n") == "--- a/x\n+++ b/x\n@@ -1,3 +1,2 @@\n a\n-b\n c\n");
  CHECK(unified_diff("x", "", "a\n") == "--- a/x\n+++ b/x\n@@ -0,0 +1 @@\n+a\n");
  CHECK(unified_diff("x", "a\n", "") == "--- a/x\n+++ b/x\n@@ -1 +0,0 @@\n-a\n");
  CHECK(unified_diff("x", "a", "a\n") ==
        "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n");
  CHECK(unified_diff("x", "a\r\nb\r\n", "a\r\n") == "--- a/x\n+++ b/x\n@@ -1,2 +1 @@\n a\r\n-b\r\n");
}

TEST_CASE("far changes are hunks of their own, near ones are not") {
  std::string before, after;
  for (int i = 1; i <= 30; ++i) {
    before += std::to_string(i) + "\n";
    after += i == 5 || i == 12 || i == 25 ? "" : std::to_string(i) + "\n";
  }
  CHECK(unified_diff("x", before, after) ==
        "--- a/x\n+++ b/x\n@@ -2,14 +2,12 @@\n 2\n 3\n 4\n-5\n 6\n 7\n 8\n 9\n 10\n 11\n-12\n 13\n 14\n 15\n"
        "@@ -22,7 +20,6 @@\n 22\n 23\n 24\n-25\n 26\n 27\n 28\n");
}

TEST_CASE("a diff applied to the old text gives the new one") {
  std::uint64_t state = 7;
  const auto below = [&](std::uint64_t limit) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<std::size_t>((state >> 33) % limit);
  };
  std::size_t changed = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string before, after;
    const std::size_t length = below(40);
    for (std::size_t i = 0; i < length; ++i) {
      const std::string line = std::string(1, static_cast<char>('a' + below(6))) + "\n";
      if (below(8) != 0) before += line;
      if (below(8) != 0) after += line;
    }
    if (below(4) == 0) before += "end";
    if (below(4) == 0) after += "end";
    const std::string diff = unified_diff("x", before, after);
    CHECK(diff.empty() == (before == after));
    changed += diff.empty() ? 0 : 1;
    CAPTURE(before);
    CAPTURE(after);
    REQUIRE((diff.empty() ? after : applied(before, diff)) == after);
  }
  CHECK(changed > 2000);
}

TEST_CASE("two big texts with nothing in common are replaced whole") {
  std::string before, after;
  for (int i = 0; i < 6000; ++i) {
    before += "a" + std::to_string(i) + "\n";
    after += "b" + std::to_string(i) + "\n";
  }
  CHECK(applied(before, unified_diff("x", before, after)) == after);
}
