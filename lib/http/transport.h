#pragma once
// The seam between this project and the network: one HTTP exchange, or one upgraded WebSocket connection.
// lib/http/curl_transport is the real one; tests/fakes has an in-memory one. It must not retry, follow
// redirects, or know Kubernetes: a 3xx comes back as a response (credentials never follow to another origin).

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "lib/base/secret.h"

namespace truenas::http {

using Header = std::pair<std::string, std::string>;  // names compare case-insensitively

struct Request {
  std::string method = "GET";
  std::string target;  // origin-form: path and query, percent-encoded; the server's path prefix is the
                       // client's business
  std::vector<Header> headers;
  Secret authorization;  // the credential: the value of authorization_header; masked in every log
  std::string authorization_header = "Authorization";  // Coder's API has a header of its own
  std::string body;
  Milliseconds timeout{0};  // of the whole exchange, body included; 0: none
  Milliseconds stall{0};    // give up when nothing arrives for so long; 0: never. For watches and logs.
  bool compressed = true;   // may ask for gzip (never on watches: H6)
};

struct Response {
  int status = 0;
  std::vector<Header> headers;
  std::string body;  // empty when a BodySink took it
  // First value of the header, "" if absent.
  std::string header(std::string_view name) const;
};

// Receives a 2xx body piece by piece (decoded; that a gzip stream ends early within a whole body goes
// unnoticed, so parse what you get). Returning an error ends the exchange with that error. A body
// of another status always goes into Response::body, cut at 1 MiB.
using BodySink = std::function<Result<void>(std::string_view piece)>;

// One message of an open WebSocket.
struct Message {
  enum class Type { binary, text, closed } type = Type::binary;
  std::string data;    // closed: the reason
  int close_code = 0;  // 1005 when the peer sent none, 1006 when the connection just ended
};

// Used by one thread at a time. The destructor closes with code 1000 and does not wait.
class WebSocket {
 public:
  virtual ~WebSocket() = default;
  // The subprotocol that the server chose out of those offered.
  virtual const std::string& protocol() const = 0;
  // Sends one unfragmented, masked binary message (F5, F7). Kind::unavailable when the connection is gone.
  virtual Result<void> send(std::string_view data) = 0;
  // Waits for the next whole message (at most 64 MiB), answering pings and sending them every 5 s. nullopt
  // after `wait` without one. Kind::format when the peer breaks RFC 6455; after Type::closed always that.
  // A request to stop that arrives meanwhile is reported once, as Kind::interrupted; then it goes on.
  virtual Result<std::optional<Message>> receive(Milliseconds wait) = 0;
  // Once the peer has said its last (the exec status), pings can only hurt: one that crosses its close makes
  // the kernel drop what was not read yet (N5).
  virtual void stop_pings() {}
};

// A refused upgrade: the response, its body up to 64 KiB (X6).
using Upgrade = std::variant<std::unique_ptr<WebSocket>, Response>;

class Transport {
 public:
  virtual ~Transport() = default;
  // Errors: unavailable (nothing was sent, or a GET got no full reply), outcome_unknown (a request that is
  // not a GET was sent, in part or whole, and no full reply came), config (TLS files), auth (the server's
  // certificate is not trusted, or it does not accept ours), format (what answered is not HTTP), interrupted.
  // `what` speaks as kubectl does (S5: "the connection to the server H was refused …").
  //
  // A request to stop (lib/base/interrupt.h) that arrives meanwhile ends a read at once; a write in flight
  // gets a few seconds more for its reply. An exchange begun after that request is clean-up and runs, for
  // 30 s at most, unless it is endless (Request::stall is set): that is interrupted at once.
  virtual Result<Response> send(const Request& request, const BodySink& sink = {}) = 0;
  // As send, but an upgrade counts as a write though it is a GET: exec runs a command. `timeout` bounds the
  // handshake only (30 s when 0).
  virtual Result<Upgrade> upgrade(const Request& request, const std::vector<std::string>& protocols) = 0;
};

// True when an error of send() says that a connection stood and broke before a reply's head was there (reset,
// EOF); false when none was made, a time ran out, or a body was cut. A GET may then be tried again (Y2).
bool connection_broke(const Error& error);

}  // namespace truenas::http
