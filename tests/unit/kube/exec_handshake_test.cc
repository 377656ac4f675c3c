// The upgrade to WebSocket: what may be negotiated, and what a refusal or silence means.

#include "lib/base/text.h"
#include "tests/unit/kube/exec_fixture.h"

namespace truenas::kube {

TEST_CASE("v4 is taken without stdin and refused with it (X5)") {
  Stage stage;
  stage.answer(200, pod_body("p"));
  UpgradeAnswer answer;
  answer.protocol = "v4.channel.k8s.io";
  answer.arrivals = {on(1, "x"), success(), closed()};
  stage.script.upgrades = {answer, answer};
  CHECK(stage.reader.inspect(request_of())->out == "x");
  stage.answer(200, pod_body("p"));
  const Error error = stage.reader.inspect(request_of("in")).error();
  CHECK(error.kind == Kind::refused);
  CHECK(contains(error.what,
                 R"(invalid protocol, expected one of [v5.channel.k8s.io], got "v4.channel.k8s.io")"));
  CHECK(stage.script.sent.empty());
}

TEST_CASE("a refused upgrade says why (X3, X6)") {
  struct Row {
    int code;
    std::string body;
    Kind kind;
    const char* text;
  };
  for (const Row& row :
       {Row{403, "", Kind::refused, "Kubernetes 1.30"},
        Row{403, status_body(403, "Forbidden", "cannot create pods/exec"), Kind::auth,
            "cannot create pods/exec"},
        Row{401, "", Kind::auth, "logged in"}, Row{400, "Upgrade request required", Kind::refused, "get it"},
        Row{404, not_found_body("p"), Kind::not_found, "not found"},
        Row{404, "<html>", Kind::unavailable, "could not find"},
        Row{500, status_body(500, "InternalError", "container not found"), Kind::unavailable,
            "container not found"}}) {
    Stage stage;
    stage.answer(200, pod_body("p"));
    UpgradeAnswer answer;
    answer.refusal = http::Response{row.code, {}, row.body};
    stage.script.upgrades.push_back(answer);
    const Error error = stage.reader.inspect(request_of()).error();
    CAPTURE(error.what);
    CHECK(error.kind == row.kind);
    if (row.code != 400) CHECK(contains(error.what, row.text));
  }
}

TEST_CASE("an upgrade that got no answer may have begun the command") {
  Stage stage;
  for (const Kind kind : {Kind::outcome_unknown, Kind::format}) {
    UpgradeAnswer broken;
    broken.failure = make_error(kind, "asked to open it");
    CHECK(execute(stage, broken).error().kind == Kind::outcome_unknown);
  }
  UpgradeAnswer lost;
  lost.failure = make_error(Kind::outcome_unknown, "asked to open it");
  stage.answer(200, pod_body("p"));
  stage.script.upgrades.push_back(lost);
  CHECK(stage.reader.inspect(request_of()).error().kind == Kind::unavailable);
  UpgradeAnswer refused;
  refused.failure = refused_connection();
  CHECK(execute(stage, refused).error().kind == Kind::unavailable);
  UpgradeAnswer gateway;
  gateway.refusal = http::Response{504, {}, ""};
  CHECK(execute(stage, gateway).error().kind == Kind::outcome_unknown);
}

}  // namespace truenas::kube
