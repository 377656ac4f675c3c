// The channel protocol: what counts as the end of a command, and what does not.

#include "lib/kube/exec_stream.h"

#include <doctest/doctest.h>

#include "lib/base/text.h"

namespace truenas::kube {
namespace {

http::Message on(int channel, std::string payload) {
  return {http::Message::Type::binary, std::string(1, static_cast<char>(channel)) + std::move(payload)};
}

http::Message close_with(int code) {
  return {http::Message::Type::closed, "", code};
}

std::string exit_status(const std::string& code) {
  return R"({"metadata":{},"status":"Failure","message":"command terminated with non-zero exit code","reason":)"
         R"("NonZeroExitCode","details":{"causes":[{"reason":"Other","message":"x"},{"reason":"ExitCode","message":")" +
         code + "\"}]}}";
}

constexpr const char* k_success = R"({"metadata":{},"status":"Success"})";

Result<ExecResult> play(const std::vector<http::Message>& messages, std::size_t limit = 1000) {
  ExecStream stream("psql in pod ns/p", limit);
  for (const http::Message& message : messages) TM_TRY(stream.accept(message));
  return stream.finish();
}

}  // namespace

TEST_CASE("output, status and close") {
  const auto result =
      play({on(1, ""), on(1, "a"), on(2, "e"), on(1, "b"), on(3, k_success), close_with(1000)});
  REQUIRE(result.ok());
  CHECK(result->out == "ab");
  CHECK(result->err == "e");
  CHECK(result->exit_code == 0);
}

TEST_CASE("an end without a status is a failure, whatever the close code (F10)") {
  for (const int code : {1000, 1001, 1005, 1006, 1011}) {
    const auto result = play({on(1, ""), on(1, "all of it"), close_with(code)});
    REQUIRE_FALSE(result.ok());
    CHECK(result.error().kind == Kind::unavailable);
    CHECK(contains(result.error().what, std::to_string(code)));
  }
  CHECK_FALSE(play({}).ok());
  CHECK_FALSE(play({on(3, ""), close_with(1000)}).ok());
}

TEST_CASE("a status that was cut is none") {
  const std::string status = k_success;
  for (std::size_t length = 0; length < status.size(); ++length) {
    CHECK(play({on(3, status.substr(0, length)), close_with(1000)}).error().kind == Kind::unavailable);
  }
}

TEST_CASE("a status split across messages is put together (F8)") {
  const std::string status = exit_status("42");
  for (std::size_t cut = 1; cut < status.size(); ++cut) {
    ExecStream stream("x", 10);
    REQUIRE(stream.accept(on(3, status.substr(0, cut))).ok());
    CHECK(stream.status_begun());
    CHECK_FALSE(stream.status_complete());
    REQUIRE(stream.accept(on(3, status.substr(cut))).ok());
    CHECK(stream.status_complete());
    CHECK(stream.finish()->exit_code == 42);
  }
}

TEST_CASE("exit codes") {
  for (const int code : {1, 2, 126, 127, 137, 143, 255}) {
    CHECK(play({on(3, exit_status(std::to_string(code)))})->exit_code == code);
  }
  for (const char* code : {"", "0", "256", "-1", "1x", " 1", "999999999999"}) {
    CAPTURE(code);
    CHECK(play({on(3, exit_status(code))}).error().kind == Kind::format);
  }
  const char* none = R"({"status":"Failure","reason":"NonZeroExitCode","details":{"causes":[]}})";
  CHECK(contains(play({on(3, none)}).error().what, "no ExitCode cause given"));
}

TEST_CASE("a command that could not be run is an error with the server's words") {
  const char* status =
      R"({"status":"Failure","reason":"InternalError","code":500,"message":"error executing command in container"})";
  const Error error = play({on(3, status), close_with(1000)}).error();
  CHECK(error.kind == Kind::unavailable);
  CHECK(error.what == "psql in pod ns/p: error executing command in container");
  CHECK_FALSE(play({on(3, R"({"status":"Failure"})")}).ok());
  CHECK_FALSE(play({on(3, R"({"status":"Maybe"})")}).ok());
  CHECK_FALSE(play({on(3, R"({})")}).ok());
  CHECK_FALSE(play({on(3, R"("Success")")}).ok());
}

TEST_CASE("unknown channels and empty messages are passed over, text is not (F1, F2)") {
  const auto result = play({on(0, "in"),
                            on(4, "resize"),
                            on(9, "?"),
                            on(255, "\x03"),
                            {http::Message::Type::binary, ""},
                            on(1, "x"),
                            on(3, k_success)});
  REQUIRE(result.ok());
  CHECK(result->out == "x");
  CHECK(play({{http::Message::Type::text, "\x01x"}}).error().kind == Kind::format);
}

TEST_CASE("output beyond the limit is an error, exactly at it is not") {
  CHECK(play({on(1, "12345"), on(1, "67890"), on(3, k_success)}, 10)->out == "1234567890");
  CHECK(play({on(1, "12345"), on(1, "678901"), on(3, k_success)}, 10).error().kind == Kind::format);
  CHECK(play({on(2, std::string(11, 'e')), on(3, k_success)}, 10).error().kind == Kind::format);
}

TEST_CASE("stdin messages") {
  CHECK(stdin_message("ab") == std::string("\0ab", 3));
  CHECK(stdin_end_message() == std::string("\xff\0", 2));
}

}  // namespace truenas::kube
