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
  const Result<ProbeReport> report = probe(root, {{{1000, 1000}, {26, 26}}, &from, false}, reporter);
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
  CHECK(report->copying.error.has_value());
  CHECK(report->copying.by_server.starts_with("no: "));
  CHECK(report->bytes_free > 0);
  CHECK(names_below(tree.path()).empty());
  CHECK(reporter.findings.empty());
  const Outcome outcome = outcome_of(*report);
  CHECK(fact_of_outcome(outcome, "verdict") == "local file system");
  CHECK(fact_of_outcome(outcome, "way") == "chown");
  CHECK(fact_of_outcome(outcome, "26.created_as") == "26:26");
}

TEST_CASE("a file to copy is made only where that is allowed, and does not stay") {
  const ScratchTree tree, source;
  set_mode(source.path(), 0700);
  own(source.path(), 1000, 1000);
  const Root root = opened(tree), from = opened(source);
  CollectingReporter reporter;
  const Result<ProbeReport> only_read = probe(root, {{}, &from, false}, reporter);
  REQUIRE(only_read.ok());
  CHECK_FALSE(only_read->copying.error.has_value());
  CHECK(only_read->copying.by_server.starts_with("not tried: no file with content"));
  const Result<ProbeReport> made = probe(root, {{{1000, 1000}}, &from, true}, reporter);
  REQUIRE(made.ok());
  CHECK(made->copying.error.has_value());
  CHECK(fact_of_outcome(outcome_of(*made), "copy_by_server").starts_with("no: "));
  const Result<ProbeReport> within = probe(root, {{}, &root, true}, reporter);
  REQUIRE(within.ok());
  CHECK(within->copying.error.has_value());
  CHECK(names_below(source.path()).empty());
  CHECK(names_below(tree.path()).empty());
  CHECK(reporter.findings.empty());
}

TEST_CASE("copies by the server are counted over all NFS mounts") {
  const char* statistics =
      "device proc mounted on /proc with fstype proc\n"
      "device 192.0.2.1:/a mounted on /source with fstype nfs4 statvers=1.1\n"
      "\tper-op statistics\n\t        READ: 7 7 0 1 1 0 0 0 0\n\t        COPY: 3 3 0 544 268 0 1 1 0\n"
      "\tCOPY_NOTIFY: 9 9 0 0 0 0 0 0 0\n"
      "device 192.0.2.1:/b mounted on /target with fstype nfs4 statvers=1.1\n"
      "\t        COPY: 2 2 0 0 0 0 0 0 0\n\t        COPY: x";
  CHECK(count_server_copies(statistics) == 5);
  CHECK(count_server_copies("") == 0);
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
  const Result<ProbeReport> report = probe(root, {{{1000, 1000}}, nullptr, false}, reporter);
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
