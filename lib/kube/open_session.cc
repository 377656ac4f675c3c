// Putting a Session together: transport, credentials, impersonation (A7), user agent (H1).
#include <fmt/format.h>

#include "lib/base/text.h"
#include "lib/kube/client_certificate.h"
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

struct Connection {
  std::unique_ptr<http::Transport> transport;
  std::unique_ptr<CredentialSource> credentials;
};

Result<Connection> connect(const ClientConfig& config, Clock& clock) {
  http::Endpoint endpoint = config.endpoint;
  endpoint.user_agent = user_agent();
  Connection connection;
  if (config.exec) {
    auto source = std::make_shared<ExecCredentialSource>(*config.exec, clock);
    const auto certificate = [source]() -> Result<ClientCertificate> {
      TM_TRY_ASSIGN(ExecCredential credential, source->credential());
      return ClientCertificate{std::move(credential.certificate_pem), std::move(credential.key_pem)};
    };
    TM_TRY_ASSIGN(connection.transport, make_renewing_transport(std::move(endpoint), certificate));
    connection.credentials = std::make_unique<SharedCredentials>(std::move(source));
    return connection;
  }
  connection.credentials = make_credentials(config, clock);
  if (config.certificate_file.empty()) {
    TM_TRY_ASSIGN(connection.transport, http::make_curl_transport(std::move(endpoint)));
    return connection;
  }
  CertificateSource files = certificate_files(config.certificate_file, config.key_file,
                                              {endpoint.certificate_pem, endpoint.key_pem}, clock);
  TM_TRY_ASSIGN(connection.transport, make_renewing_transport(std::move(endpoint), std::move(files)));
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
  options.qps = static_cast<double>(config.requests_a_second);
  options.burst = static_cast<int>(2 * config.requests_a_second);
  options.verbosity = verbosity;
  options.server = config.server;
  options.log = std::move(log);
  TM_TRY_ASSIGN(Connection connection, connect(config, clock));
  return std::make_unique<Session>(std::move(connection.transport), std::move(connection.credentials),
                                   std::move(options), clock);
}

}  // namespace truenas::kube
