// What a Coder could send with anything done to it: archives and replies are read or refused, never a crash.

#include <doctest/doctest.h>

#include "lib/coder/server_parse.h"
#include "lib/coder/tar.h"
#include "lib/coder/template_archive.h"
#include "tests/fakes/coderd_api.h"
#include "tests/fuzz/fuzz.h"

using namespace truenas;
using namespace truenas::coder;
using namespace truenas::fuzz;

namespace {

// So that most mutations come past the first header's checksum.
void seal(std::string& archive) {
  for (std::size_t at = 0; at + 512 <= archive.size(); at += 512) {
    if (archive.compare(at + 257, 5, "ustar") != 0) continue;
    for (std::size_t i = 148; i < 156; ++i) archive[at + i] = ' ';
    unsigned sum = 0;
    for (std::size_t i = 0; i < 512; ++i) sum += static_cast<unsigned char>(archive[at + i]);
    for (std::size_t i = 6; i-- > 0; sum /= 8) archive[at + 148 + i] = static_cast<char>('0' + sum % 8);
    archive[at + 154] = '\0';
  }
}

const std::vector<std::string> k_tar_words = {
    "ustar", std::string(12, '\0'), "\x80", "77777777777", "12 path=a\n", "9999999999999999999 path=",
    "size=", "GNU.sparse.",         "L",    "x",           "g",           "../"};
const std::vector<std::string> k_json_words = {"null",           "\"\"",        "[]",   "{}",      "-1",
                                               "1e999",          "\"id\":",     "true", "\\u0000", ",",
                                               "\"resources\":", "\"agents\":", "}",    "]"};

const std::string k_workspace =
    R"({"id":"w","name":"dev","owner_name":"ada","template_id":"t","template_active_version_id":"v2","outdated":true,)"
    R"("automatic_updates":"always","autostart_schedule":null,"latest_build":{"id":"b","workspace_id":"w",)"
    R"("template_version_id":"v","transition":"stop","status":"stopped","build_number":7,"job":{"status":"succeeded"},)"
    R"("resources":[{"agents":[{"status":"connected","parent_id":null}]}]}})";
const std::string k_state =
    R"({"version":4,"resources":[{"mode":"managed","type":"kubernetes_persistent_volume_claim","name":"home",)"
    R"("module":"module.a","instances":[{"index_key":"a","attributes":{"id":"ns/name"}},{"index_key":0}]}]})";

}  // namespace

TEST_CASE("fuzz: archives") {
  const std::vector<std::string> seeds = {
      fakes::tar_of({{"main.tf", "a = 1\n"}, {"b.tf", "b"}}),
      fakes::tar_of({{std::string(130, 'd') + "/main.tf", std::string(700, 'x')}, {"x.tf.json", "{}"}})};
  std::size_t read = 0, refused = 0;
  const std::size_t tried =
      run(seeds, k_tar_words, 20000, [&](const std::string& input, Generator& generator) {
        std::string archive = input;
        if (!generator.one_in(4)) seal(archive);
        const auto files = read_tar(archive, "archive");
        for (const TarFile& file : files.ok() ? *files : std::vector<TarFile>()) {
          REQUIRE(file.content.size() <= archive.size());
        }
        const auto text = read_template_archive(archive, "archive");
        if (!text.ok()) REQUIRE(text.error().kind == Kind::format);
        ++(text.ok() ? read : refused);
      });
  CHECK(tried > 0);
  CHECK(read > 0);
  CHECK(refused > 0);
}

TEST_CASE("fuzz: replies") {
  std::size_t read = 0, refused = 0;
  run({k_workspace, k_state, R"([{"name":"a","value":"b"}])", R"([{"output":"x"}])"}, k_json_words, 20000,
      [&](const std::string& input, Generator&) {
        const auto document = json::parse(input, "reply");
        if (!document.ok()) return;
        const json::View view(*document, "reply");
        for (const bool ok : {parse_workspace(view).ok(), parse_build(view).ok(), parse_version(view).ok(),
                              parse_user(view).ok(), parse_parameters(view).ok(), parse_log(view).ok(),
                              parse_state(view).ok()}) {
          ++(ok ? read : refused);
        }
      });
  CHECK(read > 0);
  CHECK(refused > 0);
}
