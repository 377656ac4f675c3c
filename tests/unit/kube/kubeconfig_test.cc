// Every kubeconfig fixture resolves to exactly what its case.yaml says, or fails with exactly that error.
#include <doctest/doctest.h>

#include <set>

#include "tests/unit/kube/kubeconfig_case.h"

using namespace truenas;
using namespace truenas::kube;

TEST_CASE("each fixture resolves as its case says") {
  const auto cases = test::kubeconfig_cases();
  REQUIRE(cases.size() >= 100);
  for (const test::KubeconfigCase& entry : cases) {
    CAPTURE(entry.title());
    const auto config = resolve_client_config(entry.flags, test::environment_of(entry));
    if (!entry.error.empty()) {
      CHECK_MESSAGE(!config.ok(), "resolved, but must fail");
      if (config.ok()) continue;
      CHECK(config.error().what == entry.error);
      CHECK(kind_name(config.error().kind) == (entry.kind.empty() ? "config" : entry.kind));
      if (entry.hints.is_array()) {
        std::vector<std::string> hints;
        for (const auto& hint : entry.hints.items()) hints.push_back(hint.text());
        CHECK(config.error().hints == hints);
      }
      continue;
    }
    const std::string failure = config.ok() ? "" : config.error().what;
    CHECK(failure == "");
    if (!config.ok()) continue;
    const json::Value rendered = test::render(*config);
    CHECK_MESSAGE(rendered == entry.expected, json::write(rendered), "\n  expected ",
                  json::write(entry.expected));
  }
}

TEST_CASE("every item of the conformance list has a fixture") {
  std::set<std::string> items;
  for (const test::KubeconfigCase& entry : test::kubeconfig_cases()) {
    items.insert(entry.item.substr(0, entry.item.find('-')));
  }
  for (const char* item : {"K1", "K2", "K3", "K4", "K5", "K6", "K7", "K8", "K9", "M1", "M2", "M3", "R1",
                           "R2", "R3", "R4", "R5", "R6", "R7", "R8", "T1", "T2", "T3", "T4", "T5", "T6",
                           "A1", "A2", "A4", "A5", "A6", "A7", "E1", "E3", "E9", "P1", "P2", "P3", "P4"}) {
    CHECK_MESSAGE(items.contains(item), item, " has no fixture");
  }
}
