#pragma once
// A small HTTP/1.1 server on 127.0.0.1: keep-alive, one thread a connection, WebSocket upgrades. It carries a
// FakeCluster to programs; the scripted server beside it is for what a server must not do. No TLS.

#include <atomic>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <variant>

#include "lib/http/transport.h"

namespace truenas::fakes {

class HttpServer {
 public:
  using Reply = std::optional<http::Response>;  // nullopt: the connection ends without one
  using Rest = std::function<std::optional<std::string>()>;
  struct Handlers {
    std::function<Reply(const http::Request&)> exchange;
    std::function<http::Upgrade(const http::Request&, const std::vector<std::string>& protocols)> upgrade;
    // What comes after the reply to a request that is answered bit by bit (a watch): asked again and again,
    // nullopt at the end. Gives null for all other requests.
    std::function<Rest(const http::Request&, const http::Response&)> rest = {};
  };
  // Listens at once; aborts the program when it cannot.
  explicit HttpServer(Handlers handlers);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  int port() const { return port_; }
  bool stopping() const { return stopping_; }

 private:
  void accept_all();
  void serve(int socket);

  Handlers handlers_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stopping_ = false;
  std::mutex mutex_;
  std::list<int> open_;
  std::list<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace truenas::fakes
