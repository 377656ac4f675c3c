#include "lib/mover/manifest_file.h"

#include <doctest/doctest.h>

#include <algorithm>

using namespace truenas;
using namespace truenas::mover;

namespace {

ManifestHeader sample_header() {
  ManifestHeader header;
  header.owner_rules = {*parse_owner_rule("0:0=1000:1000"), *parse_owner_rule("*:0=*:1000")};
  header.leave_out = {"dev/null", "run/\xff socket"};
  header.root_owner = {0, 65534};
  header.root_mode = 01777;
  header.root_mtime = {-5, 7};
  header.root_xattrs = {1, 2};
  header.root_carried = false;
  return header;
}

std::vector<ManifestLine> sample_lines() {
  return {{{1, 2}, 3, "."}, {{3, 4}, 0, "a"}, {{5, 6}, 12, "a/\xff\n"}, {{7, 8}, 1, "a.b"}};
}

std::string whole() {
  ManifestSum sum;
  std::string text = render(sample_header());
  for (const ManifestLine& line : sample_lines()) {
    text += render(line);
    sum.add(line);
  }
  return text + render(sum.end());
}

// Reads all; gives the pieces one by one, of `piece` bytes.
Result<std::vector<ManifestLine>> read_all(std::string text, std::size_t piece = 7) {
  ManifestReader reader([text, piece, at = std::size_t{0}]() mutable -> Result<std::string> {
    std::string bytes = text.substr(std::min(at, text.size()), piece);
    at += piece;
    return bytes;
  });
  TM_TRY_ASSIGN(const ManifestHeader header, reader.header());
  std::vector<ManifestLine> lines;
  while (true) {
    TM_TRY_ASSIGN(const std::optional<ManifestLine> line, reader.next());
    if (!line) return lines;
    lines.push_back(*line);
  }
}

std::string error_of(const std::string& text) {
  const auto lines = read_all(text);
  REQUIRE_FALSE(lines.ok());
  CHECK(lines.error().kind == Kind::format);
  return lines.error().what;
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  const std::size_t at = text.find(what);
  REQUIRE(at != std::string::npos);
  return text.replace(at, what.size(), by);
}

}  // namespace

TEST_CASE("a manifest comes back as it was written, however it is read") {
  for (const std::size_t piece : {1u, 2u, 7u, 64u, 100000u}) {
    const auto lines = read_all(whole(), piece);
    REQUIRE(lines.ok());
    CHECK(*lines == sample_lines());
  }
  ManifestReader reader([text = whole(), given = false]() mutable -> Result<std::string> {
    return std::exchange(given, true) ? std::string() : text;
  });
  const Result<ManifestHeader> header = reader.header();
  REQUIRE(header.ok());
  CHECK(header->owner_rules == sample_header().owner_rules);
  CHECK(header->leave_out == sample_header().leave_out);
  CHECK(header->root_owner == sample_header().root_owner);
  CHECK(header->root_mode == 01777);
  CHECK(header->root_mtime == Timestamp{-5, 7});
  CHECK(header->root_xattrs == Digest{1, 2});
  CHECK_FALSE(header->root_carried);
  CHECK(render(*header) == render(sample_header()));
}

TEST_CASE("a manifest that was cut off anywhere is refused") {
  const std::string text = whole();
  for (std::size_t length = 0; length < text.size(); ++length) {
    CAPTURE(length);
    CHECK_FALSE(read_all(text.substr(0, length)).ok());
  }
}

TEST_CASE("a manifest in which any byte was changed is refused, or says the same") {
  const std::string text = whole();
  const std::size_t body = text.find("\n", text.find("\nroot ") + 1) + 1;
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (const char by : {'0', 'x', ' ', '\n', '\xff'}) {
      if (text[at] == by) continue;
      std::string changed = text;
      changed[at] = by;
      const auto lines = read_all(changed);
      if (at >= body) CHECK_MESSAGE(!lines.ok(), changed);
      if (lines.ok()) CHECK(*lines == sample_lines());
    }
  }
}

TEST_CASE("what is wrong with a manifest is said") {
  CHECK(error_of("") == "manifest, line 1: missing: the file is cut off");
  CHECK(error_of("hello\n") == "manifest, line 1: this is no manifest");
  CHECK(error_of(replaced(whole(), "manifest 1", "manifest 2")) ==
        "manifest, line 1: another version than 1: volume-mover manifest 2");
  CHECK(error_of(replaced(whole(), "xxh3-128", "md5")) == "manifest, line 2: expected \"hash xxh3-128\"");
  CHECK(error_of(replaced(whole(), " 12 ", " 13 ")).find("its own hash does not fit") != std::string::npos);
  CHECK(error_of(replaced(whole(), " 0 a\n", " 0 b\n")).find("not in order") != std::string::npos);
  CHECK(error_of(replaced(whole(), " 0 a\n", " 00 a\n")).find("as a manifest writes it") !=
        std::string::npos);
  CHECK(error_of(whole() + "more").find("follows the last line") != std::string::npos);
  CHECK(error_of(std::string(1000, '\0')).find("cut off") != std::string::npos);
}

TEST_CASE("the order of a walk: a directory, what is in it, then the next name") {
  const std::vector<std::string> order = {".",    "A",     "a",   "a/\x01", "a/b", "a/b/c",
                                          "a/bb", "a\x01", "a.b", "a.b/c",  "ab",  "\xff"};
  for (std::size_t i = 0; i < order.size(); ++i) {
    for (std::size_t j = 0; j < order.size(); ++j) {
      const int sign = compare_in_walk_order(order[i], order[j]);
      CHECK_MESSAGE((sign < 0) == (i < j), order[i] << " and " << order[j]);
      CHECK((sign == 0) == (i == j));
    }
  }
}
