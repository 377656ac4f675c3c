#include "lib/mover/report.h"

#include <doctest/doctest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <csignal>
#include <set>

#include "lib/base/text.h"
#include "lib/json/value.h"
#include "lib/mover/attempt.h"
#include "lib/mover/json_writer.h"
#include "lib/mover/path_text.h"
#include "lib/mover/utf8.h"
#include "tests/unit/mover/scratch_tree.h"

using namespace truenas;
using namespace truenas::mover;

namespace {

json::Value parsed(const std::string& text) {
  Result<json::Value> value = json::parse(text, "test");
  REQUIRE_MESSAGE(value.ok(), text << (value.ok() ? "" : value.error().what));
  return *value;
}

std::string at(const json::Value& value, std::string_view key) {
  const json::Value* member = value.find(key);
  REQUIRE(member != nullptr);
  return member->text();
}

// What a reporter wrote: a file, since a pipe would fill up.
class Output {
 public:
  Output() : descriptor_(::memfd_create("output", 0)) { REQUIRE(descriptor_ >= 0); }
  ~Output() { ::close(descriptor_); }
  int descriptor() const { return descriptor_; }
  std::vector<std::string> lines() const {
    std::string text(static_cast<std::size_t>(::lseek(descriptor_, 0, SEEK_END)), '\0');
    REQUIRE(::pread(descriptor_, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
    std::vector<std::string> lines = split(text, '\n');
    REQUIRE(lines.back().empty());
    lines.pop_back();
    return lines;
  }

 private:
  int descriptor_;
};

}  // namespace

TEST_CASE("every path becomes text and comes back, and no two share a text") {
  std::vector<std::string> paths = {"a",
                                    "a/b",
                                    ".",
                                    "\\",
                                    "\\x41",
                                    "A",
                                    "\xff",
                                    "\xc3",
                                    "\xc3\xa9",
                                    "a\nb",
                                    "\t",
                                    "\x7f",
                                    "\xed\xa0\x80",
                                    "\xf4\x90\x80\x80",
                                    "\xe2\x82",
                                    "日本",
                                    "\"",
                                    "x\\"};
  for (int byte = 1; byte < 256; ++byte) paths.push_back("p" + std::string(1, static_cast<char>(byte)) + "q");
  std::set<std::string> texts;
  for (const std::string& path : paths) {
    const std::string text = shown(path);
    CHECK(is_utf8(text));
    CHECK(path_of_shown(text) == path);
    CHECK(at(parsed("{\"p\":" + json_path(path) + "}"), "p") == text);
    texts.insert(text);
  }
  CHECK(texts.size() == std::set<std::string>(paths.begin(), paths.end()).size());
  for (const char* text : {"\\", "\\x4", "\\x41", "\\xZZ", "\\n", "\\xFF", "\xff", "a\nb"}) {
    CHECK_FALSE(path_of_shown(text).has_value());
  }
}

TEST_CASE("text of any bytes is valid JSON") {
  for (int byte = 1; byte < 256; ++byte) {
    const std::string text = "a" + std::string(1, static_cast<char>(byte)) + "b";
    const std::string back = at(parsed("{\"t\":" + json_text(text) + "}"), "t");
    CHECK(back == (byte < 0x80 ? text
                               : "a\xef\xbf\xbd"
                                 "b"));
  }
  CHECK(json_text(std::string_view("\0", 1)) == "\"\\u0000\"");
}

TEST_CASE("a cut never ends within a character") {
  CHECK(cut_utf8("日本", 6) == "日本");
  CHECK(cut_utf8("日本", 5) == "日");
  CHECK(cut_utf8("日本", 2).empty());
  CHECK(cut_utf8("abc", 2) == "ab");
}

TEST_CASE("a bounded object is valid JSON of at most its limit, the first parts kept") {
  BoundedObject object;
  object.add("exit", "3");
  object.add("text", json_text(std::string(100, 't')));
  std::vector<std::string> members, elements;
  for (int i = 0; i < 40; ++i) {
    members.push_back(json_member("m" + std::to_string(i), std::to_string(i)));
    elements.push_back(JsonObject().number("n", static_cast<std::uint64_t>(i)).str());
  }
  object.add_object("counts", members);
  object.add_list("first", elements);
  const std::string whole = object.str();
  CHECK(parsed(whole).find("truncated") == nullptr);
  for (std::size_t limit = 18; limit <= whole.size() + 40; ++limit) {
    const std::string text = object.str(limit);
    CHECK(text.size() <= limit);
    const json::Value value = parsed(text);
    if (limit > 40) CHECK(value.find("exit") != nullptr);
    if (text != whole) CHECK(value.find("truncated") != nullptr);
  }
}

TEST_CASE("the termination message is valid JSON of at most 4096 bytes and says the exit") {
  const ScratchTree tree;
  const std::string file = tree.file("termination-log", std::string(9000, 'x'));
  Output output;
  ReportOptions options;
  options.descriptor = output.descriptor();
  options.termination_file = file;
  JsonReporter reporter(options);
  for (int i = 0; i < 30; ++i) {
    reporter.finding(
        {Severity::error, "content", std::string(200, '\xff') + std::to_string(i), "differs", 1});
  }
  Outcome outcome{"compare", 3, std::string(5000, 'e'), {{"compared", 7}}, {{"verdict", "root_squash"}}};
  reporter.result(outcome);
  const std::string message = read_whole(file);
  CHECK(message.size() <= k_termination_bytes);
  const json::Value value = parsed(message);
  CHECK(at(value, "mode") == "compare");
  CHECK(value.integer_at("/exit") == 3);
  CHECK(value.integer_at("/findings/error:content") == 30);
  CHECK(value.find("facts") != nullptr);
  CHECK(value.find("counts") != nullptr);
  CHECK(value.find("truncated") != nullptr);
  const std::vector<std::string> lines = output.lines();
  CHECK(lines.size() == 31);
  for (const std::string& line : lines) parsed(line);
  CHECK(at(parsed(lines.back()), "text").size() == 5000);
}

TEST_CASE("a termination file that is not there is not made") {
  const ScratchTree tree;
  Output output;
  ReportOptions options;
  options.descriptor = output.descriptor();
  options.termination_file = tree.at("none");
  JsonReporter(options).result(Outcome{"scan", 0, "fine", {}, {}});
  CHECK(names_below(tree.path()).empty());
  CHECK(output.lines().size() == 1);
}

TEST_CASE("progress comes at most once a second, findings are bounded a kind, all are counted") {
  Output output;
  auto now = std::chrono::steady_clock::time_point{};
  ReportOptions options;
  options.descriptor = output.descriptor();
  options.lines_a_kind = 2;
  options.now = [&] { return now; };
  JsonReporter reporter(options);
  for (int i = 0; i < 25; ++i) {
    reporter.progress({"scan", static_cast<std::uint64_t>(i), 0, 0, 0, 0, 8});
    now += std::chrono::milliseconds(100);
  }
  for (int i = 0; i < 5; ++i) reporter.finding({Severity::note, "socket", "s", "a socket", 1});
  reporter.finding({Severity::warning, "socket", "s", "a socket", 3});
  reporter.result(Outcome{"scan", 0, "fine", {}, {}});
  const std::vector<std::string> lines = output.lines();
  REQUIRE(lines.size() == 3 + 2 + 1 + 1);
  CHECK(parsed(lines[1]).integer_at("/entries") == 10);
  const json::Value result = parsed(lines.back());
  CHECK(result.integer_at("/findings/note:socket") == 5);
  CHECK(result.integer_at("/findings/warning:socket") == 3);
}

TEST_CASE("a log that nobody reads does not end the run") {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  close(ends[0]);
  const auto before = std::signal(SIGPIPE, SIG_IGN);
  ReportOptions options;
  options.descriptor = ends[1];
  JsonReporter reporter(options);
  reporter.result(Outcome{"scan", 0, "fine", {}, {}});
  CHECK(true);  // it came back
  close(ends[1]);
  std::signal(SIGPIPE, before);
}
