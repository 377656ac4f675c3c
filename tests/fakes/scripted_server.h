#pragma once
// A server on a real loopback socket, plain or TLS, that does what a test's script says, byte for byte: cut,
// stall, reset, repeat. For tests of what a well-behaved fake cannot do wrong. It knows no Kubernetes.

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/fakes/test_certificates.h"

using SSL = struct ssl_st;
using SSL_CTX = struct ssl_ctx_st;

namespace truenas::fakes {

// The server's end of one connection. Every call blocks until done or until the connection or the server
// ends; then reads give "" and writes false.
class Peer {
 public:
  Peer(int fd, SSL_CTX* tls, std::size_t number);
  ~Peer();
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  // 0 for the first connection that the server accepted.
  std::size_t number() const { return number_; }
  // One request: its head, and its body as long as Content-Length says. "" at the end.
  std::string read_request();
  std::string read_head();
  std::string read_exactly(std::size_t count);
  bool write(std::string_view bytes);
  // "HTTP/1.1 <status>", Content-Length and the body; extra header lines end with CRLF each.
  bool reply(std::string_view status, std::string_view body, std::string_view extra_headers = "");
  // Sends RST instead of FIN.
  void reset();
  // Ends TLS properly, then the connection.
  void close();
  // Reads and drops until the client has gone: how a script stalls without a clock.
  void wait_until_gone();
  // Server side of tests/unit: the name that the client asked for by SNI, "" if none.
  std::string server_name() const;

 private:
  friend class ScriptedServer;
  bool fill();
  void shut_down();

  std::mutex closing_;
  int fd_;
  SSL* ssl_ = nullptr;
  std::size_t number_;
  std::string buffer_;
};

struct TlsSettings {
  Identity identity;
  std::string client_ca_pem;  // with it, a client certificate is required
  bool tls12_only = false;
};

class ScriptedServer {
 public:
  // Run once per connection, on a thread of its own. When it returns, the connection is closed.
  using Script = std::function<void(Peer& peer)>;
  explicit ScriptedServer(Script script);
  ScriptedServer(Script script, const TlsSettings& tls);
  ~ScriptedServer();
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;
  int port() const { return port_; }
  // Connections accepted so far, whatever became of them.
  std::size_t connections() const { return accepted_; }
  // Ends every connection and joins every thread; the destructor does it too.
  void stop();

 private:
  void listen_on_loopback();
  void accept_all();
  void serve(std::shared_ptr<Peer> peer);

  Script script_;
  SSL_CTX* tls_ = nullptr;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<std::size_t> accepted_{0};
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;
  std::vector<std::shared_ptr<Peer>> peers_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace truenas::fakes
