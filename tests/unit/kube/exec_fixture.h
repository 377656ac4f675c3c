#pragma once
// What comes over a scripted exec connection, and running a command on it.

#include <string>
#include <vector>

#include "tests/unit/kube/scripted_transport.h"

namespace truenas::kube {

inline Arrival on(int channel, std::string payload) {
  return {http::Message{http::Message::Type::binary,
                        std::string(1, static_cast<char>(channel)) + std::move(payload)},
          std::nullopt};
}
inline Arrival closed(int code = 1000) {
  return {http::Message{http::Message::Type::closed, "", code}, std::nullopt};
}
inline Arrival nothing() {
  return {};
}
inline Arrival reset() {
  return {std::nullopt, broken_connection()};
}
inline Arrival success() {
  return on(3, R"({"metadata":{},"status":"Success"})");
}

inline ExecRequest request_of(std::string stdin_text = "") {
  ExecRequest request{"ns", "p", "second", {"psql", "-c", "select 1; & x"}};
  request.stdin_text = std::move(stdin_text);
  return request;
}

inline Result<ExecResult> inspect(Stage& stage, std::vector<Arrival> arrivals,
                                  const ExecRequest& request = request_of()) {
  stage.answer(200, pod_body("p"));
  UpgradeAnswer answer;
  answer.arrivals = std::move(arrivals);
  stage.script.upgrades.push_back(std::move(answer));
  return stage.reader.inspect(request);
}

inline Result<ExecResult> execute(Stage& stage, UpgradeAnswer answer,
                                  const ExecRequest& request = request_of()) {
  stage.answer(200, pod_body("p"));
  stage.script.upgrades.push_back(std::move(answer));
  return stage.writer().exec(request);
}

}  // namespace truenas::kube
