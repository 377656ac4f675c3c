#pragma once
// A Coder that answers what a test says, request by request, and the clock beside it: for what the stand-in
// (tests/fakes/coderd.h) never does wrong.

#include <doctest/doctest.h>

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "lib/coder/server_session.h"
#include "lib/json/value.h"

namespace truenas::coder {

class StillClock final : public Clock {
 public:
  Milliseconds steady() const override { return now; }
  std::chrono::microseconds wall() const override { return now; }
  Result<void> sleep(Milliseconds duration) override {
    now += duration;
    sleeps.push_back(duration.count());
    return {};
  }
  Milliseconds now{0};
  std::vector<std::int64_t> sleeps;
};

class ScriptedTransport final : public http::Transport {
 public:
  using Answer = std::function<Result<http::Response>(const http::Request&)>;
  Result<http::Response> send(const http::Request& request, const http::BodySink& sink) override {
    sent.push_back(request);
    Result<http::Response> response = answer(request);
    if (!response.ok() || !sink || response->status / 100 != 2) return response;
    const std::string body = std::move(response->body);
    response->body.clear();
    TM_TRY(sink(body));
    return response;
  }
  Result<http::Upgrade> upgrade(const http::Request&, const std::vector<std::string>&) override {
    return make_error(Kind::bug, "no WebSockets");
  }
  Answer answer;
  std::vector<http::Request> sent;
};

inline http::Response response(int status, std::string body, std::string type = "application/json") {
  http::Response result;
  result.status = status;
  result.headers.emplace_back("Content-Type", std::move(type));
  result.body = std::move(body);
  return result;
}

inline const char* k_member = R"({"id":"u1","username":"ada","roles":[]})";
inline const char* k_owner = R"({"id":"u1","username":"ada","roles":[{"name":"owner"}]})";

inline std::string workspace_text(const std::string& id, const std::string& status = "running") {
  return R"({"id":")" + id + R"(","name":"dev","owner_name":"ada","template_id":"t1",)" +
         R"("template_active_version_id":"v2","latest_build":{"id":"b1","workspace_id":")" + id +
         R"(","template_version_id":"v1","transition":"start","status":")" + status +
         R"(","job":{"status":"succeeded"}}})";
}

// A session whose user is `me`, and whose other requests get the replies in order; the last one again and
// again.
struct ScriptedCoder {
  explicit ScriptedCoder(std::deque<Result<http::Response>> replies, const char* me = k_member) {
    auto owned = std::make_unique<ScriptedTransport>();
    transport = owned.get();
    transport->answer = [replies, me](const http::Request& request) mutable -> Result<http::Response> {
      if (request.target == "/api/v2/users/me") return response(200, me);
      Result<http::Response> reply = replies.front();
      if (replies.size() > 1) replies.pop_front();
      return reply;
    };
    ServerSessionOptions options;
    options.url = "https://coder.test";
    options.token = Secret("hunter2-secret");
    options.qps = options.owner_qps = 0;
    options.verbosity = 10;
    options.log = [this](std::string_view line) { log += std::string(line) + "\n"; };
    session = std::make_unique<ServerSession>(std::move(owned), std::move(options), clock);
  }
  ServerReader reader() { return ServerReader(*session); }
  // The requests for anything but who we are.
  std::vector<http::Request> asked() const {
    std::vector<http::Request> result;
    for (const http::Request& request : transport->sent) {
      if (request.target != "/api/v2/users/me") result.push_back(request);
    }
    return result;
  }

  StillClock clock;
  ScriptedTransport* transport = nullptr;
  std::unique_ptr<ServerSession> session;
  std::string log;
};

inline kube::Permit granted() {
  kube::Permit permit;
  permit.still_granted = [] { return Result<void>(); };
  return permit;
}

}  // namespace truenas::coder
