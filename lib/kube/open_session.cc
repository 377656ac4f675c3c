// Putting a Session together: transport, credentials, impersonation (A7), user agent (H1).
#include <fmt/format.h>

#include <mutex>

#include "lib/base/text.h"
#include "lib/kube/exec_credential.h"
#include "lib/kube/kubeconfig_internal.h"

namespace truenas::kube {
namespace {

#if defined(__APPLE__)
constexpr std::string_view k_system = "darwin";
#else
constexpr std::string_view k_system = "linux";
#endif
#if defined(__aarch64__) || defined(__arm64__)
constexpr std::string_view k_architecture = "arm64";
#else
constexpr std::string_view k_architecture = "amd64";
#endif

std::string user_agent() {
  return fmt::format("kubectl-truenas_migrate/{} ({}/{})", TM_VERSION, k_system, k_architecture);
}

// One exec source for two: the session asks it for the token, the transport for the certificate (E8).
class SharedCredentials : public CredentialSource {
 public:
  explicit SharedCredentials(std::shared_ptr<ExecCredentialSource> source) : source_(std::move(source)) {}
  Result<Secret> authorization() override { return source_->authorization(); }
  void refused() override { source_->refused(); }

 private:
  const std::shared_ptr<ExecCredentialSource> source_;
};

// A transport whose client certificate comes from an exec plugin: when the plugin returns another one, new
// requests go over new connections (E7). Earlier transports stay, for the WebSockets and requests they carry.
class RenewingTransport : public http::Transport {
 public:
  RenewingTransport(http::Endpoint endpoint, std::shared_ptr<ExecCredentialSource> source)
      : endpoint_(std::move(endpoint)), source_(std::move(source)) {}

  Result<http::Response> send(const http::Request& request, const http::BodySink& sink) override {
    TM_TRY_ASSIGN(http::Transport * transport, current());
    return transport->send(request, sink);
  }
  Result<http::Upgrade> upgrade(const http::Request& request,
                                const std::vector<std::string>& protocols) override {
    TM_TRY_ASSIGN(http::Transport * transport, current());
    return transport->upgrade(request, protocols);
  }
  Result<http::Transport*> current() {
    TM_TRY_ASSIGN(const ExecCredential credential, source_->credential());
    const std::scoped_lock lock(mutex_);
    const bool same =
        credential.certificate_pem == endpoint_.certificate_pem && credential.key_pem == endpoint_.key_pem;
    if (same && !transports_.empty()) return transports_.back().get();
    endpoint_.certificate_pem = credential.certificate_pem;
    endpoint_.key_pem = credential.key_pem;
    Result<std::unique_ptr<http::Transport>> made = http::make_curl_transport(endpoint_);
    if (!made) {
      if (credential.certificate_pem.empty()) return made.take_error();
      Error error = made.error().in("getting credentials: failed parsing client key/certificate");
      error.kind = Kind::auth;
      return error;
    }
    transports_.push_back(std::move(*made));
    return transports_.back().get();
  }

 private:
  std::mutex mutex_;
  http::Endpoint endpoint_;
  const std::shared_ptr<ExecCredentialSource> source_;
  std::vector<std::unique_ptr<http::Transport>> transports_;
};

struct Connection {
  std::unique_ptr<http::Transport> transport;
  std::unique_ptr<CredentialSource> credentials;
};

Result<Connection> connect(const ClientConfig& config, Clock& clock) {
  http::Endpoint endpoint = config.endpoint;
  endpoint.user_agent = user_agent();
  Connection connection;
  if (!config.exec) {
    TM_TRY_ASSIGN(connection.transport, http::make_curl_transport(std::move(endpoint)));
    connection.credentials = make_credentials(config, clock);
    return connection;
  }
  auto source = std::make_shared<ExecCredentialSource>(*config.exec, clock);
  auto transport = std::make_unique<RenewingTransport>(std::move(endpoint), source);
  TM_TRY(transport->current());
  connection.transport = std::move(transport);
  connection.credentials = std::make_unique<SharedCredentials>(std::move(source));
  return connection;
}

}  // namespace

Result<std::unique_ptr<Session>> open_session(const ClientConfig& config, int verbosity,
                                              std::function<void(std::string_view)> log, Clock& clock) {
  if (log) {
    for (const Notice& notice : config.notices) {
      if (verbosity >= notice.verbosity) log(notice.text);
    }
  }
  SessionOptions options;
  options.path_prefix = config.path_prefix;
  TM_TRY_ASSIGN(options.extra_headers, impersonation_headers(config));
  options.user_agent = user_agent();
  options.request_timeout = config.request_timeout;
  options.verbosity = verbosity;
  options.server = config.server;
  options.log = std::move(log);
  TM_TRY_ASSIGN(Connection connection, connect(config, clock));
  return std::make_unique<Session>(std::move(connection.transport), std::move(connection.credentials),
                                   std::move(options), clock);
}

}  // namespace truenas::kube
