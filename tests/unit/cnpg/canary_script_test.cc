#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "lib/base/text.h"
#include "lib/cnpg/canary.h"
#include "tests/unit/cnpg/local_postgres.h"

using namespace truenas;
using namespace truenas::cnpg;
using State = CanaryVerdict::State;

namespace {

constexpr auto k_all_write = std::filesystem::perms::owner_write | std::filesystem::perms::group_write |
                             std::filesystem::perms::others_write;

// A volume and a scratch directory that anybody may write to, as a Pod has them.
class Directories {
 public:
  Directories() {
    std::string pattern = std::filesystem::temp_directory_path() / "truenas-canary-XXXXXX";
    REQUIRE(mkdtemp(pattern.data()) != nullptr);
    root_ = pattern;
    std::filesystem::permissions(root_,
                                 std::filesystem::perms::others_exec | std::filesystem::perms::owner_all);
    for (const char* name : {"volume", "scratch"}) {
      std::filesystem::create_directory(root_ / name);
      std::filesystem::permissions(root_ / name, std::filesystem::perms::all);
    }
  }
  ~Directories() {
    std::error_code error;
    std::filesystem::remove_all(root_, error);
  }
  Directories(const Directories&) = delete;
  Directories& operator=(const Directories&) = delete;

  std::filesystem::path volume() const { return root_ / "volume"; }
  // One round of the script, its verdict read as from a Pod's log.
  CanaryVerdict round() const {
    const Finished finished = run_program(
        {"env", "CANARY_VOLUME=" + volume().string(), "CANARY_SCRATCH=" + (root_ / "scratch").string(),
         "TMPDIR=" + (root_ / "scratch").string(), "LC_ALL=C", "sh", "-c", std::string(canary_script())});
    json::Value pod;
    pod.set_at("/status/phase", finished.exit_code == 0 ? "Succeeded" : "Failed");
    CanaryVerdict verdict = parse_canary(pod, finished.out, {});
    CAPTURE(finished.out);
    CAPTURE(finished.err);
    CHECK((verdict.state == State::passed) == (finished.exit_code == 0));
    return verdict;
  }

 private:
  std::filesystem::path root_;
};

bool skipped() {
  const auto missing = LocalPostgres::missing();
  if (!missing) return false;
  std::printf("SKIPPED: the canary's script: %s\n", missing->c_str());
  const char* ci = std::getenv("CI");
  CHECK_MESSAGE((ci == nullptr || std::string(ci) != "true"), *missing);
  return true;
}

}  // namespace

TEST_CASE(
    "the canary's script passes on a good volume, and its second round finds what the first one wrote") {
  if (skipped()) return;
  const Directories directories;
  CanaryVerdict verdict = directories.round();
  CHECK_MESSAGE(verdict.state == State::passed, verdict.detail);
  CHECK_FALSE(verdict.second_round);
  CHECK(verdict.root_directory.ends_with(" 777"));
  verdict = directories.round();
  CHECK_MESSAGE(verdict.state == State::passed, verdict.detail);
  CHECK(verdict.second_round);
}

TEST_CASE("the canary's script fails where it must, and says where") {
  if (skipped()) return;
  const Directories directories;
  std::filesystem::permissions(directories.volume(), k_all_write, std::filesystem::perm_options::remove);
  CanaryVerdict verdict = directories.round();
  CHECK(verdict.state == State::failed);
  CHECK(verdict.stage == "create");
  CHECK(contains(verdict.detail, "Permission denied"));

  std::filesystem::permissions(directories.volume(), std::filesystem::perms::all);
  REQUIRE(directories.round().state == State::passed);
  // A server that lost its control file does not start.
  std::filesystem::remove(directories.volume() / "pgdata/global/pg_control");
  verdict = directories.round();
  CHECK(verdict.state == State::failed);
  CHECK(verdict.stage == "start");
}
