#include <doctest/doctest.h>

#include "lib/cnpg/sql.h"
#include "tests/fakes/objects.h"
#include "tests/fakes/site_fixture.h"

using namespace truenas;
using namespace truenas::fakes;
using json::Value;
using kube::PatchKind;

TEST_CASE("faults strike the write they name") {
  Site site;
  site.cluster.faults.add(refuse(write_number(1)));
  site.cluster.faults.add(drop_reply(write_number(2)));
  Value patch = Value::object();
  patch.set_at("/metadata/annotations/x", "1");
  const auto again = [&] {
    return site.writer.patch(kube::k_cluster, "coder", "coder-postgres", PatchKind::merge, patch);
  };
  const auto annotation = [&] { return kube::annotation_of(site.state().object, "x"); };
  CHECK(again().error().kind == Kind::unavailable);
  CHECK(annotation().empty());
  CHECK(again().error().kind == Kind::outcome_unknown);
  CHECK(annotation() == "1");
  CHECK(again().ok());
  CHECK(site.cluster.writes() == 3);
  site.cluster.faults.add(answer(request_to("PATCH", "clusters"), too_many_requests(7)));
  const auto before_retry = site.clock.steady();
  CHECK(again().ok());  // Y1: waited as told, then done
  CHECK(site.clock.steady() - before_retry >= Seconds(7));
  site.cluster.faults.add(answer(request_to("GET", "/persistentvolumes"), internal_error()));
  CHECK_FALSE(site.reader.list(kube::k_volume, "").ok());
  CHECK(site.reader.list(kube::k_volume, "").ok());
}

TEST_CASE("a page that expired restarts the list") {
  Site site;
  bool expired_once = false;
  site.cluster.faults.add(before(request_to("GET", "continue="), [&] {
    site.cluster.store.compact();
    site.cluster.put(
        Value::object({{"apiVersion", "v1"},
                       {"kind", "ConfigMap"},
                       {"metadata", Value::object({{"name", "late"}, {"namespace", "coder"}})}}));
    expired_once = true;
  }));
  kube::ListOptions options;
  options.limit = 2;
  const auto claims = site.reader.list(kube::k_claim, "", options);
  REQUIRE(claims.ok());
  CHECK(expired_once);
  CHECK(claims->size() == 8);
}

TEST_CASE("exec: output, exit codes, stdin, and a connection without a status") {
  Site site;
  site.cluster.exec = [](const ExecCommand& command) -> ExecOutcome {
    if (command.argv.front() == "cat") return {0, command.stdin_text, ""};
    if (command.argv.front() == "big") return {0, std::string(100000, 'x'), ""};
    return {3, "", "no such thing\n"};
  };
  kube::ExecRequest request;
  request.ns = "coder";
  request.pod = "coder-postgres-1";
  request.container = "postgres";
  request.argv = {"cat"};
  request.stdin_text = std::string(70000, 'y') + "z";
  CHECK(site.reader.inspect(request).value().out == request.stdin_text);
  request.stdin_text.clear();
  request.argv = {"false"};
  CHECK(site.reader.inspect(request).value().exit_code == 3);
  CHECK(site.reader.inspect(request).value().err == "no such thing\n");
  request.argv = {"big"};
  CHECK(site.reader.inspect(request).value().out.size() == 100000);
  site.cluster.exec_fault = ExecFault::cut_output;
  CHECK_FALSE(site.reader.inspect(request).ok());
  site.cluster.exec_fault = ExecFault::no_status;
  CHECK_FALSE(site.reader.inspect(request).ok());
}

TEST_CASE("what the user may not do is forbidden, and the review says so beforehand") {
  Site site;
  site.cluster.api.denied.push_back({"patch", "", "persistentvolumes", "", ""});
  CHECK_FALSE(site.reader.can_i({"patch", "", "persistentvolumes", "", "", ""}).value());
  CHECK(site.reader.can_i({"get", "", "persistentvolumes", "", "", ""}).value());
  const auto refused = site.writer.patch(kube::k_volume, "", "x", PatchKind::merge, Value::object());
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().kind == Kind::auth);
}
