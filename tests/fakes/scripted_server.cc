#include "tests/fakes/scripted_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <stdexcept>

#include "lib/base/text.h"

namespace truenas::fakes {
namespace {

void require(bool ok, const char* what) {
  if (!ok) throw std::runtime_error(std::string("scripted server: ") + what);
}

X509* read_certificate(const std::string& pem) {
  BIO* memory = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  X509* certificate = PEM_read_bio_X509(memory, nullptr, nullptr, nullptr);
  BIO_free(memory);
  require(certificate != nullptr, "reading a certificate");
  return certificate;
}

SSL_CTX* make_context(const TlsSettings& tls) {
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  require(context != nullptr, "TLS context");
  if (tls.tls12_only) SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
  X509* certificate = read_certificate(tls.identity.certificate_pem);
  BIO* memory = BIO_new_mem_buf(tls.identity.key_pem.data(), static_cast<int>(tls.identity.key_pem.size()));
  EVP_PKEY* key = PEM_read_bio_PrivateKey(memory, nullptr, nullptr, nullptr);
  BIO_free(memory);
  require(SSL_CTX_use_certificate(context, certificate) == 1, "certificate");
  require(SSL_CTX_use_PrivateKey(context, key) == 1, "key");
  X509_free(certificate);
  EVP_PKEY_free(key);
  if (!tls.client_ca_pem.empty()) {
    X509* authority = read_certificate(tls.client_ca_pem);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context), authority);
    X509_free(authority);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  return context;
}

// A broken pipe on a server thread must not hide one that the client code under test would raise.
void block_sigpipe() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

}  // namespace

Peer::Peer(int fd, SSL_CTX* tls, std::size_t number) : fd_(fd), number_(number) {
  if (tls == nullptr) return;
  ssl_ = SSL_new(tls);
  SSL_set_fd(ssl_, fd);
}

Peer::~Peer() {
  if (ssl_ != nullptr) SSL_free(ssl_);
  if (fd_ >= 0) ::close(fd_);
}

bool Peer::fill() {
  if (fd_ < 0) return false;
  char chunk[16384];
  const long got =
      ssl_ != nullptr ? SSL_read(ssl_, chunk, sizeof chunk) : ::recv(fd_, chunk, sizeof chunk, 0);
  if (got <= 0) return false;
  buffer_.append(chunk, static_cast<std::size_t>(got));
  return true;
}

std::string Peer::read_head() {
  std::size_t end;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
    if (!fill()) return "";
  }
  std::string head = buffer_.substr(0, end + 4);
  buffer_.erase(0, end + 4);
  return head;
}

std::string Peer::read_exactly(std::size_t count) {
  while (buffer_.size() < count) {
    if (!fill()) return "";
  }
  std::string bytes = buffer_.substr(0, count);
  buffer_.erase(0, count);
  return bytes;
}

std::string Peer::read_request() {
  std::string head = read_head();
  const std::string lowered = lower(head);
  const std::size_t at = lowered.find("\r\ncontent-length:");
  if (at == std::string::npos) return head;
  const auto length = std::strtoul(lowered.c_str() + at + 17, nullptr, 10);
  return head + read_exactly(length);
}

bool Peer::write(std::string_view bytes) {
  while (!bytes.empty()) {
    if (fd_ < 0) return false;
    const long sent = ssl_ != nullptr ? SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()))
                                      : ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool Peer::reply(std::string_view status, std::string_view body, std::string_view extra_headers) {
  return write("HTTP/1.1 " + std::string(status) + "\r\nContent-Length: " + std::to_string(body.size()) +
               "\r\n" + std::string(extra_headers) + "\r\n" + std::string(body));
}

void Peer::reset() {
  const std::lock_guard lock(closing_);
  if (fd_ < 0) return;
  const linger now{1, 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  ::close(fd_);
  fd_ = -1;
}

void Peer::close() {
  if (fd_ < 0) return;
  if (ssl_ != nullptr && SSL_is_init_finished(ssl_) == 1) SSL_shutdown(ssl_);
  const std::lock_guard lock(closing_);
  ::close(fd_);
  fd_ = -1;
}

void Peer::wait_until_gone() {
  while (fill()) buffer_.clear();
}

std::string Peer::server_name() const {
  const char* name = ssl_ != nullptr ? SSL_get_servername(ssl_, TLSEXT_NAMETYPE_host_name) : nullptr;
  return name != nullptr ? name : "";
}

void Peer::shut_down() {
  const std::lock_guard lock(closing_);
  if (fd_ >= 0) ::shutdown(fd_, SHUT_RDWR);
}

ScriptedServer::ScriptedServer(Script script) : script_(std::move(script)) {
  listen_on_loopback();
}

ScriptedServer::ScriptedServer(Script script, const TlsSettings& tls)
    : script_(std::move(script)), tls_(make_context(tls)) {
  listen_on_loopback();
}

void ScriptedServer::listen_on_loopback() {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  require(listener_ >= 0, "socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  require(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0, "bind");
  require(::listen(listener_, 64) == 0, "listen");
  require(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0, "getsockname");
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_all(); });
}

ScriptedServer::~ScriptedServer() {
  stop();
  if (tls_ != nullptr) SSL_CTX_free(tls_);
}

void ScriptedServer::stop() {
  if (stopping_.exchange(true)) return;
  ::shutdown(listener_, SHUT_RDWR);  // wakes accept
  acceptor_.join();
  ::close(listener_);
  {
    const std::lock_guard lock(mutex_);
    for (const auto& peer : peers_) peer->shut_down();
  }
  for (std::thread& thread : threads_) thread.join();
}

void ScriptedServer::accept_all() {
  block_sigpipe();
  while (!stopping_) {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    const std::lock_guard lock(mutex_);
    auto peer = std::make_shared<Peer>(fd, tls_, accepted_++);
    peers_.push_back(peer);
    threads_.emplace_back([this, peer] { serve(peer); });
  }
}

void ScriptedServer::serve(std::shared_ptr<Peer> peer) {
  block_sigpipe();
  if (peer->ssl_ != nullptr && SSL_accept(peer->ssl_) != 1) {
    ERR_clear_error();
    // The client may have sent its request already (TLS 1.3): unread bytes would turn our close into an RST
    // that overtakes the alert.
    ::shutdown(peer->fd_, SHUT_WR);
    char dropped[4096];
    while (::recv(peer->fd_, dropped, sizeof dropped, 0) > 0) {
    }
    return;
  }
  script_(*peer);
  peer->close();
}

}  // namespace truenas::fakes
