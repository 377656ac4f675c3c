#pragma once
// A tree and its copy that were equal a moment ago: source/ and target/ with a, b, d/c and d/e.

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <functional>

#include "lib/mover/compare.h"
#include "tests/unit/mover/scratch_tree.h"

namespace truenas::mover {

class InUse {
 public:
  // `make`: what else is in source/.
  explicit InUse(const std::function<void(const ScratchTree&)>& make = nullptr) {
    tree_.directory("source");
    tree_.directory("source/d");
    if (make) make(tree_);
    for (const char* name : {"a", "b", "d/c", "d/e"}) {
      set_mtime(tree_.file("source/" + std::string(name), name), 1700000000, 123456789);
    }
    set_mtime(tree_.at("source/d"), 1700000000, 123456789);
    REQUIRE(std::system(("cp -a " + tree_.at("source") + " " + tree_.at("target")).c_str()) == 0);
    options.since = Since{newest("newest_change_source"), newest("newest_change_target")};
    REQUIRE(options.since->target.seconds > 0);
    pass_a_tick();
  }
  std::string source(std::string_view name = "") const { return tree_.at("source/" + std::string(name)); }
  std::string target(std::string_view name = "") const { return tree_.at("target/" + std::string(name)); }
  void write(std::string_view name, std::string_view text) const { tree_.file(name, text); }
  // As if everything that is on the target had been so then.
  void nobody_did_it() { options.since->target.seconds += 1000000; }

  Outcome compared() {
    const Result<Root> left = Root::open(source(), {}), right = Root::open(target(), {});
    REQUIRE(left.ok());
    REQUIRE(right.ok());
    reporter.findings.clear();
    return compare(*left, *right, options, reporter);
  }

  CompareOptions options;
  CollectingReporter reporter;

 private:
  Timestamp newest(std::string_view name) {
    const std::string text = fact_of_outcome(compared(), name);
    Timestamp time;
    time.seconds = std::stoll(text.substr(0, text.find('.')));
    time.nanoseconds = static_cast<std::uint32_t>(std::stoul(text.substr(text.find('.') + 1)));
    return time;
  }
  // File systems count time in ticks.
  void pass_a_tick() const {
    for (;;) {
      const struct stat status = status_of(tree_.file("tick"));
      const Timestamp now{status.st_ctim.tv_sec, static_cast<std::uint32_t>(status.st_ctim.tv_nsec)};
      std::filesystem::remove(tree_.at("tick"));
      if (now > options.since->target && now > options.since->source) return;
    }
  }
  ScratchTree tree_;
};

}  // namespace truenas::mover
