// On the local file system, as root: what a probe leaves behind, and what it takes for a left-over.
#include "lib/mover/probe.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include "lib/base/interrupt.h"
#include "tests/unit/mover/scratch_tree.h"

using namespace truenas;
using namespace truenas::mover;

namespace {

const std::string k_left_over = ".volume-mover-probe-0123456789abcdef";

Root opened(const ScratchTree& tree) {
  Result<Root> root = Root::open(tree.path(), {});
  REQUIRE(root.ok());
  return std::move(*root);
}

}  // namespace

TEST_CASE("a local directory: root may do everything, nothing stays behind") {
  const ScratchTree tree, source;
  source.file("some", std::string(10000, 'x'));
  set_mode(tree.path(), 0750);
  own(tree.path(), 1000, 1001);
  const Root root = opened(tree), from = opened(source);
  CollectingReporter reporter;
  const Result<ProbeReport> report = probe(root, {{{1000, 1000}, {26, 26}}, &from}, reporter);
  REQUIRE(report.ok());
  CHECK(report->verdict.text() == "local file system");
  CHECK(report->seen.directory_owner == Owner{1000, 1001});
  CHECK(report->seen.directory_mode == 0750);
  CHECK(report->seen.root->created_as == Owner{0, 0});
  CHECK(report->seen.root->after_chown == report->seen.root->chown_to);
  CHECK(report->seen.root->rename_error == 0);
  CHECK(report->seen.root->link_error == 0);
  CHECK(report->seen.root->fsync_error == 0);
  CHECK(report->seen.root->lock_error == 0);
  CHECK(report->seen.root->create_microseconds > 0);
  REQUIRE(report->seen.others.size() == 4);  // both, the stranger, the directory's owner
  CHECK(report->seen.others[0].created_as == Owner{1000, 1000});
  CHECK(report->seen.others[0].here_error == 0);
  CHECK(report->seen.others[0].chown_error == EPERM);
  CHECK(report->seen.others[1].here_error == EACCES);
  CHECK(report->copy_file_range_error.has_value());
  CHECK(report->bytes_free > 0);
  CHECK(names_below(tree.path()).empty());
  CHECK(reporter.findings.empty());
  const Outcome outcome = outcome_of(*report);
  CHECK(fact_of_outcome(outcome, "verdict") == "local file system");
  CHECK(fact_of_outcome(outcome, "way") == "chown");
  CHECK(fact_of_outcome(outcome, "26.created_as") == "26:26");
}

TEST_CASE("left-overs of a killed probe are removed, and only those") {
  const ScratchTree tree;
  const std::string left_over = tree.directory(k_left_over);
  tree.file(k_left_over + "/lock");
  tree.file(k_left_over + "/0.file");
  tree.file(k_left_over + "/1000.create-7");
  const std::string foreign = tree.directory(".volume-mover-probe-ffffffffffffffff");
  tree.file(".volume-mover-probe-ffffffffffffffff/thesis.tex", "three years");
  tree.file(".volume-mover-probe-ffffffffffffffff/0.file");
  tree.directory(".volume-mover-probe-0123");
  tree.file(".volume-mover-probe-00000000000000zz");
  CollectingReporter reporter;
  const Root root = opened(tree);
  const Result<ProbeReport> report = probe(root, {}, reporter);
  REQUIRE(report.ok());
  CHECK(report->left_overs_removed == 1);
  CHECK(names_below(tree.path()) ==
        std::vector<std::string>{".volume-mover-probe-00000000000000zz", ".volume-mover-probe-0123",
                                 ".volume-mover-probe-ffffffffffffffff",
                                 ".volume-mover-probe-ffffffffffffffff/0.file",
                                 ".volume-mover-probe-ffffffffffffffff/thesis.tex"});
  CHECK(reporter.of(Severity::warning) ==
        std::vector<std::string>{"probe-left-over .volume-mover-probe-ffffffffffffffff"});
}

TEST_CASE("another probe's directory is left alone while that one lives") {
  const ScratchTree tree;
  tree.directory(k_left_over);
  const std::string lock = tree.file(k_left_over + "/lock");
  const int holder = open(lock.c_str(), O_RDWR);
  struct flock whole {};
  whole.l_type = F_WRLCK;
  REQUIRE(fcntl(holder, F_OFD_SETLK, &whole) == 0);
  CollectingReporter reporter;
  const Root root = opened(tree);
  CHECK(probe(root, {}, reporter)->left_overs_removed == 0);
  CHECK(names_below(tree.path()).size() == 2);
  close(holder);
  CHECK(probe(root, {}, reporter)->left_overs_removed == 1);
  CHECK(names_below(tree.path()).empty());
}

TEST_CASE("asked to stop, a probe cleans up and says so") {
  const ScratchTree tree;
  CollectingReporter reporter;
  const Root root = opened(tree);
  request_interrupt(15);
  const Result<ProbeReport> report = probe(root, {{{1000, 1000}}, nullptr}, reporter);
  clear_interrupt();
  REQUIRE_FALSE(report.ok());
  CHECK(report.error().kind == Kind::interrupted);
  CHECK(names_below(tree.path()).empty());
}

TEST_CASE("names of probes are exact") {
  CHECK(is_probe_name(k_left_over));
  for (const char* name : {"", ".volume-mover-probe-", ".volume-mover-probe-0123456789abcde",
                           ".volume-mover-probe-0123456789abcdef0", ".volume-mover-probe-0123456789ABCDEF",
                           "volume-mover-probe-0123456789abcdef"}) {
    CHECK_FALSE(is_probe_name(name));
  }
}
