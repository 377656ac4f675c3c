// Running a command: the request, stdin, the time allowed, and what a lost end means.

#include <algorithm>

#include "lib/base/text.h"
#include "tests/unit/kube/exec_fixture.h"

namespace truenas::kube {

TEST_CASE("the request names each word of the command in order, and only what is wanted (X1)") {
  Stage stage;
  REQUIRE(inspect(stage, {on(1, ""), on(1, "1\n"), success(), closed()}).ok());
  CHECK(stage.last().method == "GET");
  CHECK(stage.last().target ==
        "/api/v1/namespaces/ns/pods/p/"
        "exec?command=psql&command=-c&command=select%201%3B%20%26%20x&container=second&"
        "stderr=true&stdout=true");
  CHECK(stage.script.offered[0] == std::vector<std::string>{"v5.channel.k8s.io", "v4.channel.k8s.io"});
  CHECK(stage.script.sent.empty());
}

TEST_CASE("the container: as asked, by annotation, or the first (X7)") {
  const auto container_for = [](const std::string& pod, const std::string& wished) {
    Stage stage;
    stage.answer(200, pod);
    UpgradeAnswer answer;
    answer.arrivals = {success(), closed()};
    stage.script.upgrades.push_back(answer);
    ExecRequest request = request_of();
    request.container = wished;
    REQUIRE(stage.reader.inspect(request).ok());
    const std::string& target = stage.last().target;
    const std::size_t at = target.find("container=") + 10;
    return target.substr(at, target.find('&', at) - at);
  };
  const std::string annotated =
      R"({"kind":"Pod","metadata":{"name":"p","annotations":{"kubectl.kubernetes.io/default-container":"NAME"}},)"
      R"("spec":{"containers":[{"name":"first"},{"name":"second"}]},"status":{"phase":"Running"}})";
  const auto with = [&](const std::string& name) {
    std::string pod = annotated;
    return pod.replace(pod.find("NAME"), 4, name);
  };
  CHECK(container_for(pod_body("p"), "") == "first");
  CHECK(container_for(with("second"), "") == "second");
  CHECK(container_for(with("absent"), "") == "first");
  CHECK(container_for(with("second"), "first") == "first");
}

TEST_CASE("nothing runs in a completed pod") {
  for (const char* phase : {"Succeeded", "Failed"}) {
    Stage stage;
    stage.answer(200, pod_body("p", "u", phase));
    const Error error = stage.reader.inspect(request_of()).error();
    CHECK(error.kind == Kind::refused);
    CHECK(error.what ==
          std::string("cannot exec into a container in a completed pod; current phase is ") + phase);
  }
}

TEST_CASE("stdin goes in small whole messages and is ended exactly once (F3, F5)") {
  Stage stage;
  const std::string text(100000, 'x');
  REQUIRE(inspect(stage,
                  {on(1, ""), nothing(), nothing(), nothing(), nothing(), nothing(), success(), closed()},
                  request_of(text))
              .ok());
  CHECK(contains(stage.last().target, "&stdin=true&"));
  CHECK(stage.script.offered[0] == std::vector<std::string>{"v5.channel.k8s.io"});
  std::string received;
  for (const std::string& message : stage.script.sent) {
    CHECK(message.size() <= 32 * 1024);
    if (message[0] == '\0') received += message.substr(1);
  }
  CHECK(received == text);
  CHECK(stage.script.sent.back() == std::string("\xff\0", 2));
  CHECK(std::count(stage.script.sent.begin(), stage.script.sent.end(), std::string("\xff\0", 2)) == 1);
}

TEST_CASE("nothing is sent once the status is there (N5)") {
  Stage stage;
  REQUIRE(inspect(stage, {on(1, ""), success(), closed()}, request_of(std::string(500000, 'x'))).ok());
  CHECK(stage.script.sent.size() == 2);
  CHECK(stage.script.pings_stopped > 0);
}

TEST_CASE("an interrupt ends a look; a change is seen through to its end") {
  const Arrival stop{std::nullopt, make_error(Kind::interrupted, "interrupted")};
  Stage stage;
  CHECK(inspect(stage, {on(1, "a"), stop, success(), closed()}).error().kind == Kind::interrupted);
  UpgradeAnswer answer;
  answer.arrivals = {on(1, "a"), stop, on(1, "b"), success(), closed()};
  const auto result = execute(stage, answer);
  REQUIRE(result.ok());
  CHECK(result->out == "ab");
}

TEST_CASE("a command that does not read its stdin still has an outcome") {
  Stage stage;
  stage.answer(200, pod_body("p"));
  UpgradeAnswer answer;
  answer.arrivals = {on(1, "done"), success(), closed()};
  answer.sends_until_broken = 1;
  stage.script.upgrades.push_back(answer);
  CHECK(stage.reader.inspect(request_of(std::string(100000, 'x')))->out == "done");
}

TEST_CASE("no status is a failure: unavailable for a look, unknown for a change (F10)") {
  for (const auto& arrivals : {std::vector<Arrival>{on(1, "out"), closed(1000)},
                               {on(1, "out"), reset()},
                               {on(3, R"({"status":)"), closed(1000)},
                               {on(3, R"({"status":)"), reset()}}) {
    Stage stage;
    CHECK(inspect(stage, arrivals).error().kind == Kind::unavailable);
    UpgradeAnswer answer;
    answer.arrivals = arrivals;
    CHECK(execute(stage, answer).error().kind == Kind::outcome_unknown);
    CHECK(stage.script.offered.size() == 2);  // neither was begun again
  }
}

TEST_CASE("a reset after the status takes nothing away") {
  Stage stage;
  CHECK(inspect(stage, {on(1, "out"), success(), reset()})->out == "out");
}

TEST_CASE("output that comes after the status is still taken") {
  Stage stage;
  CHECK(inspect(stage, {on(1, "a"), success(), on(1, "b"), closed()})->out == "ab");
}

TEST_CASE("a server that does not hang up after the status is not waited for long") {
  Stage stage;
  const Milliseconds start = stage.script.clock.steady();
  CHECK(inspect(stage, {on(1, "a"), success()})->out == "a");
  CHECK(stage.script.clock.steady() - start <= Milliseconds(6000));
}

TEST_CASE("the deadline ends a command that says nothing") {
  Stage stage;
  const Error look = inspect(stage, {on(1, "")}).error();
  CHECK(look.kind == Kind::unavailable);
  CHECK(contains(look.what, "not done within 60 s"));
  UpgradeAnswer silent;
  CHECK(execute(stage, silent).error().kind == Kind::outcome_unknown);
}

TEST_CASE("exit codes are results, not errors") {
  Stage stage;
  const auto result = inspect(stage, {on(3, R"({"status":"Failure","reason":"NonZeroExitCode","details":)"
                                            R"({"causes":[{"reason":"ExitCode","message":"137"}]}})"),
                                      closed()});
  CHECK(result->exit_code == 137);
}

}  // namespace truenas::kube
