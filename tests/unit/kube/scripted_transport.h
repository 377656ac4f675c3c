#pragma once
// A server that says exactly what a test wrote down, and a clock that only moves when somebody waits. No
// sockets, no threads, no time.

#include <doctest/doctest.h>

#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "lib/base/clock.h"
#include "lib/http/transport.h"
#include "lib/kube/reader.h"
#include "lib/kube/session.h"
#include "lib/kube/writer.h"

namespace truenas::kube {

class FakeClock : public Clock {
 public:
  Milliseconds steady() const override { return now_; }
  std::chrono::microseconds wall() const override { return now_; }
  Result<void> sleep(Milliseconds duration) override {
    slept.push_back(duration);
    now_ += duration;
    return {};
  }
  void advance(Milliseconds duration) { now_ += duration; }

  std::vector<Milliseconds> slept;

 private:
  Milliseconds now_{1000000};
};

// What the server does with one request: an answer, its 2xx body in pieces, and how the exchange ends.
struct Answer {
  int status = 200;
  std::vector<std::string> pieces;
  std::vector<http::Header> headers;
  std::optional<Error> failure;  // after the pieces; status 0 pieces none: no answer at all
  Milliseconds took{0};          // how long the exchange lasts
};

// What comes over an open WebSocket: a message, a failure of the connection, or silence (none of both).
struct Arrival {
  std::optional<http::Message> message;
  std::optional<Error> failure;
};

struct UpgradeAnswer {
  std::string protocol = "v5.channel.k8s.io";
  std::vector<Arrival> arrivals;          // then silence
  std::optional<http::Response> refusal;  // instead of a socket
  std::optional<Error> failure;           // instead of both
  std::size_t sends_until_broken = 1u << 30;
};

struct Script {
  std::deque<Answer> answers;
  std::deque<UpgradeAnswer> upgrades;
  std::vector<http::Request> requests;            // as they arrived, upgrades too
  std::vector<std::vector<std::string>> offered;  // subprotocols of each upgrade
  std::vector<std::string> sent;                  // WebSocket messages of the client
  int pings_stopped = 0;
  FakeClock clock;
};

class ScriptedSocket : public http::WebSocket {
 public:
  ScriptedSocket(Script& script, UpgradeAnswer answer) : script_(script), answer_(std::move(answer)) {}
  const std::string& protocol() const override { return answer_.protocol; }
  Result<void> send(std::string_view data) override {
    if (script_.sent.size() >= answer_.sends_until_broken)
      return make_error(Kind::unavailable, "broken pipe");
    script_.sent.emplace_back(data);
    return {};
  }
  Result<std::optional<http::Message>> receive(Milliseconds wait) override {
    if (next_ == answer_.arrivals.size()) {
      script_.clock.advance(std::max(wait, Milliseconds(1)));
      return std::optional<http::Message>();
    }
    const Arrival& arrival = answer_.arrivals[next_++];
    if (arrival.failure) return *arrival.failure;
    return arrival.message;
  }

  void stop_pings() override { ++script_.pings_stopped; }

 private:
  Script& script_;
  UpgradeAnswer answer_;
  std::size_t next_ = 0;
};

class ScriptedTransport : public http::Transport {
 public:
  explicit ScriptedTransport(Script& script) : script_(script) {}
  Result<http::Response> send(const http::Request& request, const http::BodySink& sink) override {
    script_.requests.push_back(request);
    if (script_.answers.empty()) return make_error(Kind::bug, "the script has no answer left");
    const Answer answer = script_.answers.front();
    script_.answers.pop_front();
    script_.clock.advance(answer.took);
    http::Response response;
    response.status = answer.status;
    response.headers = answer.headers;
    for (const std::string& piece : answer.pieces) {
      if (sink && answer.status >= 200 && answer.status < 300) {
        TM_TRY(sink(piece));
      } else {
        response.body += piece;
      }
    }
    if (answer.failure) return *answer.failure;
    return response;
  }
  Result<http::Upgrade> upgrade(const http::Request& request,
                                const std::vector<std::string>& protocols) override {
    script_.requests.push_back(request);
    script_.offered.push_back(protocols);
    if (script_.upgrades.empty()) return make_error(Kind::bug, "the script has no upgrade left");
    UpgradeAnswer answer = script_.upgrades.front();
    script_.upgrades.pop_front();
    if (answer.failure) return *answer.failure;
    if (answer.refusal) return http::Upgrade(*answer.refusal);
    return http::Upgrade(std::make_unique<ScriptedSocket>(script_, std::move(answer)));
  }

 private:
  Script& script_;
};

class CountingCredentials : public CredentialSource {
 public:
  explicit CountingCredentials(int* refusals) : refusals_(refusals) {}
  Result<Secret> authorization() override { return Secret("Bearer token-" + std::to_string(*refusals_)); }
  void refused() override { ++*refusals_; }

 private:
  int* refusals_;
};

// One conversation with a scripted server, and what came of it.
struct Stage {
  explicit Stage(SessionOptions options = {}) : session(make(std::move(options))), reader(session) {}
  Script script;
  int refusals = 0;
  std::vector<std::string> log;
  Session session;
  Reader reader;

  void answer(int status, std::string body, std::vector<http::Header> headers = {}) {
    script.answers.push_back({status, {std::move(body)}, std::move(headers), std::nullopt, Milliseconds(0)});
  }
  void no_answer(Error failure) {
    script.answers.push_back({0, {}, {}, std::move(failure), Milliseconds(0)});
  }
  Writer writer(bool dry_run = false) {
    Permit permit;
    permit.still_granted = [] { return Result<void>(); };
    permit.server_dry_run = dry_run;
    return Writer(session, permit);
  }
  const http::Request& last() const { return script.requests.back(); }
  std::string all_log() const {
    std::string text;
    for (const std::string& line : log) text += line + "\n";
    return text;
  }

 private:
  Session make(SessionOptions options) {
    options.log = [this](std::string_view line) { log.emplace_back(line); };
    if (options.server.empty()) options.server = "https://example.test:6443";
    return Session(std::make_unique<ScriptedTransport>(script),
                   std::make_unique<CountingCredentials>(&refusals), std::move(options), script.clock);
  }
};

// The transport's words for the failures that matter (lib/http).
inline Error broken_connection() {
  return make_error(Kind::unavailable,
                    "lost the connection to the server example.test:6443: Connection reset by peer");
}
inline Error lost_reply() {
  return make_error(Kind::outcome_unknown,
                    "sent POST /x, but no whole reply came, so it may or may not have been "
                    "carried out: lost the connection to the server");
}
inline Error refused_connection() {
  return make_error(Kind::unavailable,
                    "the connection to the server example.test:6443 was refused - did you specify "
                    "the right host or port?");
}
inline std::string status_body(int code, const std::string& reason, const std::string& message,
                               const std::string& more = "") {
  return R"({"kind":"Status","apiVersion":"v1","status":"Failure","code":)" + std::to_string(code) +
         R"(,"reason":")" + reason + R"(","message":")" + message + "\"" + more + "}";
}
// The server's proof that an object is absent.
inline std::string not_found_body(const std::string& name) {
  return status_body(404, "NotFound", "things \\\"" + name + "\\\" not found",
                     R"(,"details":{"kind":"things","name":")" + name + "\"}");
}
inline std::string pod_body(const std::string& name, const std::string& uid = "u-1",
                            const std::string& phase = "Running") {
  return R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":")" + name + R"(","namespace":"ns","uid":")" +
         uid +
         R"(","resourceVersion":"7"},"spec":{"containers":[{"name":"first"},{"name":"second"}]},"status":{"phase":")" +
         phase + "\"}}";
}

}  // namespace truenas::kube
