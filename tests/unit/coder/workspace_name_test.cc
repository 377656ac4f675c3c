// A name that is not recognised is a home that nobody finds: each shape that a template has ever given.

#include "lib/coder/workspace_name.h"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <vector>

using namespace truenas;
using coder::read_claim_name;

namespace {

const std::string k_id = "0a7c1f52-7d3e-4c8e-9f61-2b9d6a3e5c01";

struct Case {
  std::string name, shape, id, owner, workspace, joined;
};

}  // namespace

TEST_CASE("every shape of a claim's name is recognised, and says what it says") {
  const std::vector<Case> cases = {
      {"coder-" + k_id + "-home", "coder-<id>-home", k_id, "", "", ""},
      {"coder-" + k_id + "-workspaces", "coder-<id>-workspaces", k_id, "", "", ""},
      {"coder-" + k_id, "coder-<id>", k_id, "", "", ""},
      {"coder-pvc-" + k_id, "coder-pvc-<id>", k_id, "", "", ""},
      {"coder-" + k_id + "-docker-cache", "coder-<id>-…", k_id, "", "", ""},
      {"home-coder-java-alice-dev", "home-coder-java-<owner>-<workspace>", "", "alice", "dev", "alice-dev"},
      {"coder-carol-docker-home", "coder-<owner>-<workspace>-home", "", "carol", "docker", "carol-docker"},
      {"erin-erin-home", "<owner>-<owner>-home", "", "erin", "", ""},
      {"mary-ann-mary-ann-home", "<owner>-<owner>-home", "", "mary-ann", "", ""},
  };
  std::set<std::string_view> seen;
  for (const Case& expected : cases) {
    CAPTURE(expected.name);
    const auto name = read_claim_name(expected.name);
    REQUIRE(name);
    CHECK(name->shape == expected.shape);
    CHECK(name->id == expected.id);
    CHECK(name->owner == expected.owner);
    CHECK(name->workspace == expected.workspace);
    CHECK(name->joined == expected.joined);
    seen.insert(name->shape);
  }
  CHECK(seen.size() == coder::claim_name_shapes().size());
}

TEST_CASE("where owner and workspace cannot be told apart, neither is guessed") {
  for (const char* text : {"coder-mary-ann-dev-home", "home-coder-java-a-b-c", "coder-alice-home"}) {
    CAPTURE(text);
    const auto name = read_claim_name(text);
    REQUIRE(name);
    CHECK(name->owner == "");
    CHECK(name->workspace == "");
    CHECK(name->joined != "");
  }
  CHECK(read_claim_name("coder-mary-ann-dev-home")->joined == "mary-ann-dev");
}

TEST_CASE("other names are nobody's home") {
  for (const std::string& text :
       {std::string("coder-postgres-1"), std::string("data-0"), std::string("home"),
        std::string("coder-home"), std::string("-home"), std::string("coder--home"), std::string("coder-"),
        std::string(""), std::string("alice-bob-home"), std::string("alice-home"), "coder-" + k_id + "x",
        "coder-" + k_id.substr(1) + "-workspaces", "coder-" + k_id + "-", "pvc-" + k_id}) {
    CAPTURE(text);
    CHECK_FALSE(read_claim_name(text).has_value());
  }
}

TEST_CASE("a workload's name gives an id only where one stands by itself") {
  CHECK(coder::read_workload_id("coder-" + k_id) == k_id);
  CHECK(coder::read_workload_id("coder-" + k_id + "-5d9f8c-x2x4z") == k_id);
  CHECK(coder::read_workload_id("coder-" + k_id + "0") == "");
  CHECK(coder::read_workload_id("coder-carol-docker") == "");
  CHECK(coder::read_workload_id(k_id) == "");
}
