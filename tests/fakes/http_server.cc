#include "tests/fakes/http_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "lib/base/text.h"
#include "tests/fakes/connection.h"

namespace truenas::fakes {

HttpServer::HttpServer(Handlers handlers) : handlers_(std::move(handlers)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (listener_ < 0 || ::bind(listener_, generic, length) != 0 || ::listen(listener_, 128) != 0 ||
      ::getsockname(listener_, generic, &length) != 0) {
    std::perror("cannot listen on 127.0.0.1");
    std::abort();
  }
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_all(); });
}

HttpServer::~HttpServer() {
  stopping_ = true;
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  ::close(listener_);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (const int socket : open_) ::shutdown(socket, SHUT_RDWR);
  }
  for (std::thread& thread : threads_) thread.join();
}

void HttpServer::accept_all() {
  while (!stopping_) {
    const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) continue;
    const std::lock_guard<std::mutex> lock(mutex_);
    open_.push_back(socket);
    threads_.emplace_back([this, socket] {
      serve(socket);
      const std::lock_guard<std::mutex> inner(mutex_);
      open_.remove(socket);
      ::close(socket);
    });
  }
}

void HttpServer::serve(int socket) {
  Connection connection(socket);
  while (!stopping_) {
    const std::optional<http::Request> request = connection.read_request();
    if (!request) return;
    if (lower(request_header(*request, "Upgrade")) == "websocket") {
      http::Upgrade upgrade = handlers_.upgrade(*request, offered_protocols(*request));
      if (auto* websocket = std::get_if<std::unique_ptr<http::WebSocket>>(&upgrade)) {
        return connection.carry(*request, **websocket);
      }
      if (!connection.write_response(std::get<http::Response>(upgrade))) return;
      continue;
    }
    const Reply reply = handlers_.exchange(*request);
    if (reply && handlers_.rest) {
      if (const Rest rest = handlers_.rest(*request, *reply)) {
        if (!connection.write_stream(*reply, rest)) return;
        continue;
      }
    }
    if (!reply || !connection.write_response(*reply)) return;
    if (lower(request_header(*request, "Connection")) == "close") return;
  }
}

}  // namespace truenas::fakes
