#include "lib/http/frame.h"

#include <doctest/doctest.h>

#include <vector>

#include "lib/http/handshake.h"
#include "lib/http/sha1.h"
#include "tests/unit/http/websocket_peer.h"

namespace truenas::http {
namespace {

std::string hex(std::string_view bytes) {
  static const char* const digits = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    text += digits[static_cast<unsigned char>(c) >> 4];
    text += digits[static_cast<unsigned char>(c) & 15];
  }
  return text;
}

// Every message of a byte stream that is fed in pieces of `step` bytes.
std::vector<Incoming> read_all(const std::string& bytes, std::size_t step) {
  FrameReader reader;
  std::vector<Incoming> messages;
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    reader.feed(std::string_view(bytes).substr(at, step));
    while (true) {
      auto next = reader.next();
      REQUIRE(next.ok());
      if (!*next) break;
      messages.push_back(**next);
    }
  }
  CHECK(reader.held() == 0);
  return messages;
}

TEST_CASE("what we send is FIN, masked and whole, at every length encoding (F5, F7)") {
  CHECK(hex(encode_frame(Opcode::text, "Hello", 0x37fa213d)) == "818537fa213d7f9f4d5158");  // RFC 6455 §5.7
  CHECK(hex(encode_frame(Opcode::ping, "", 0)) == "898000000000");
  CHECK(hex(encode_frame(Opcode::binary, std::string_view("\xff\x00", 2), 0x01020304)) == "828201020304fe02");
  CHECK(hex(encode_frame(Opcode::binary, std::string(126, 'a'), 0).substr(0, 8)) == "82fe007e00000000");
  CHECK(hex(encode_frame(Opcode::binary, std::string(65536, 'a'), 0).substr(0, 14)) ==
        "82ff000000000001000000000000");
}

TEST_CASE("frames cut anywhere give the same messages") {
  const std::string bytes = server_frame(2, std::string("\x01", 1)) + server_frame(2, std::string(200, 'x')) +
                            server_frame(9, "beat") + server_frame(1, "part", false) + server_frame(10, "") +
                            server_frame(0, "", false) + server_frame(0, "ial") +
                            server_frame(2, std::string(70000, 'y')) +
                            server_frame(8, std::string("\x03\xe8"
                                                        "bye"));
  for (const std::size_t step : {1ul, 2ul, 3ul, 7ul, 100ul, 65536ul, bytes.size()}) {
    CAPTURE(step);
    const std::vector<Incoming> messages = read_all(bytes, step);
    REQUIRE(messages.size() == 7);
    CHECK(messages[0].data == std::string("\x01", 1));
    CHECK(messages[1].data == std::string(200, 'x'));
    CHECK(messages[2].opcode == Opcode::ping);
    CHECK(messages[2].data == "beat");
    CHECK(messages[3].opcode == Opcode::pong);
    CHECK(messages[4].opcode == Opcode::text);
    CHECK(messages[4].data == "partial");
    CHECK(messages[5].data.size() == 70000);
    CHECK(messages[6].opcode == Opcode::close);
    CHECK(messages[6].close_code == 1000);
    CHECK(messages[6].data == "bye");
  }
}

TEST_CASE("a close frame without a code reads as 1005") {
  const std::vector<Incoming> messages = read_all(server_frame(8, ""), 1);
  REQUIRE(messages.size() == 1);
  CHECK(messages[0].close_code == 1005);
  CHECK(close_payload(1000, "").size() == 2);
  CHECK(close_payload(1000, std::string(500, 'x')).size() == 125);
}

TEST_CASE("what RFC 6455 forbids a server is an error") {
  std::string reserved = server_frame(2, "x");
  reserved[0] = static_cast<char>(0xc2);  // as permessage-deflate would
  const std::string too_large("\x82\x7f\x00\x00\x00\x00\x04\x00\x00\x01", 10);
  const std::string absurd("\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff", 10);
  for (const std::string& bytes :
       {encode_frame(Opcode::binary, "masked", 1), reserved, server_frame(3, "x"), server_frame(11, "x"),
        server_frame(0, "x"), server_frame(2, "a", false) + server_frame(2, "b"), server_frame(9, "x", false),
        server_frame(9, std::string(126, 'x')), server_frame(8, "x"), too_large, absurd}) {
    CAPTURE(hex(bytes.substr(0, 16)));
    FrameReader reader;
    reader.feed(bytes);
    const auto next = reader.next();
    REQUIRE_FALSE(next.ok());
    CHECK(next.error().kind == Kind::format);
  }
}

TEST_CASE("fragments are bounded together") {
  FrameReader reader;
  const std::string half = std::string(k_message_limit / 2 + 1, 'x');
  reader.feed(server_frame(2, half, false));
  REQUIRE(reader.next().ok());
  reader.feed(server_frame(0, half));
  CHECK_FALSE(reader.next().ok());
}

TEST_CASE("SHA-1 and the accept key agree with the standards") {
  CHECK(hex(sha1("")) == "da39a3ee5e6b4b0d3255bfef95601890afd80709");
  CHECK(hex(sha1("abc")) == "a9993e364706816aba3e25717850c26c9cd0d89d");
  CHECK(hex(sha1(std::string(1000000, 'a'))) == "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
  for (const std::size_t size : {55ul, 56ul, 63ul, 64ul}) CHECK(sha1(std::string(size, 'x')).size() == 20);
  CHECK(accept_for("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST_CASE("a refusal's body is read by length or by chunks, and what is missing is waited for") {
  Response plain;
  plain.headers = {{"Content-Length", "4"}};
  CHECK_FALSE(refusal_body(plain, "abc", false).has_value());
  CHECK(refusal_body(plain, "abcdef", false).value() == "abcd");
  CHECK(refusal_body(plain, "abc", true).value() == "abc");
  plain.headers = {{"Content-Length", "0"}};
  CHECK(refusal_body(plain, "", false).value().empty());
  Response chunked;
  chunked.headers = {{"Transfer-Encoding", "chunked"}};
  const std::string raw = "3\r\nabc\r\n2;ext=1\r\nde\r\n0\r\n\r\n";
  for (std::size_t size = 0; size < raw.size() - 2; ++size) {
    CAPTURE(size);
    const auto body = refusal_body(chunked, raw.substr(0, size), false);
    CHECK((!body || *body == "abcde"));
  }
  CHECK(refusal_body(chunked, raw, false).value() == "abcde");
  CHECK(refusal_body(chunked, "ffffffffffffffff\r\nabc", true).value() == "abc");
  CHECK(refusal_body(Response{}, std::string(100000, 'x'), false).value().size() == 65536);
}

}  // namespace
}  // namespace truenas::http
