#include "lib/kube/client_certificate.h"

#include <filesystem>
#include <mutex>
#include <optional>
#include <vector>

#include "lib/kube/kubeconfig.h"

namespace truenas::kube {
namespace {

constexpr Milliseconds k_look_again{1'000};  // client-go: certificateRotation looks once a second

class CertificateFilePair {
 public:
  CertificateFilePair(std::string certificate, std::string key, ClientCertificate first, Clock& clock)
      : certificate_file_(std::move(certificate)),
        key_file_(std::move(key)),
        current_(std::move(first)),
        clock_(clock),
        looked_at_(clock.steady()) {}

  ClientCertificate current() {
    const std::scoped_lock lock(mutex_);
    if (clock_.steady() - looked_at_ < k_look_again) return current_;
    looked_at_ = clock_.steady();
    std::optional<ClientCertificate> read = look();
    if (read && *read == current_) read.reset();
    if (read && seen_ && *read == *seen_) current_ = *read;
    seen_ = std::move(read);
    return current_;
  }

 private:
  std::optional<ClientCertificate> look() const {
    // A pipe was read when the kubeconfig was resolved, and has nothing more to say.
    std::error_code error;
    if (!std::filesystem::is_regular_file(certificate_file_, error) ||
        !std::filesystem::is_regular_file(key_file_, error)) {
      return std::nullopt;
    }
    const Environment environment = process_environment();
    Result<std::string> certificate = environment.read_file(certificate_file_);
    Result<std::string> key = environment.read_file(key_file_);
    if (!certificate || !key || certificate->empty() || key->empty()) return std::nullopt;
    return ClientCertificate{std::move(*certificate), Secret(std::move(*key))};
  }

  const std::string certificate_file_, key_file_;
  std::mutex mutex_;
  ClientCertificate current_;
  std::optional<ClientCertificate> seen_;  // by the last look, when it was not the current one
  Clock& clock_;
  Milliseconds looked_at_;
};

class RenewingTransport : public http::Transport {
 public:
  RenewingTransport(http::Endpoint endpoint, CertificateSource source)
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
    TM_TRY_ASSIGN(const ClientCertificate certificate, source_());
    const std::scoped_lock lock(mutex_);
    const bool same = certificate == ClientCertificate{endpoint_.certificate_pem, endpoint_.key_pem};
    if (same && !transports_.empty()) return transports_.back().get();
    endpoint_.certificate_pem = certificate.pem;
    endpoint_.key_pem = certificate.key;
    Result<std::unique_ptr<http::Transport>> made = http::make_curl_transport(endpoint_);
    if (!made) {
      if (certificate.pem.empty()) return made.take_error();
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
  const CertificateSource source_;
  std::vector<std::unique_ptr<http::Transport>> transports_;
};

}  // namespace

CertificateSource certificate_files(std::string certificate_file, std::string key_file,
                                    ClientCertificate first, Clock& clock) {
  auto pair = std::make_shared<CertificateFilePair>(std::move(certificate_file), std::move(key_file),
                                                    std::move(first), clock);
  return [pair]() -> Result<ClientCertificate> { return pair->current(); };
}

Result<std::unique_ptr<http::Transport>> make_renewing_transport(http::Endpoint endpoint,
                                                                 CertificateSource source) {
  auto transport = std::make_unique<RenewingTransport>(std::move(endpoint), std::move(source));
  TM_TRY(transport->current());
  return std::unique_ptr<http::Transport>(std::move(transport));
}

}  // namespace truenas::kube
