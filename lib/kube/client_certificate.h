#pragma once
// Client certificates that change while a session lasts: from an exec plugin (E7, E8), or from files that
// somebody rotates (T7). For open_session.cc; it must not decide which of them a user authenticates with.

#include <functional>
#include <memory>
#include <string>

#include "lib/base/clock.h"
#include "lib/http/curl_transport.h"

namespace truenas::kube {

struct ClientCertificate {
  std::string pem;
  Secret key;
  bool operator==(const ClientCertificate& other) const {
    return pem == other.pem && key.reveal() == other.key.reveal();
  }
};
// What to authenticate with now. Called before every request, on any thread.
using CertificateSource = std::function<Result<ClientCertificate>()>;

// T7: both files are read again, at most once a second. What was changed is taken once two readings agree, so
// that a pair is never torn between an old certificate and a new key; files that cannot be read leave the
// pair as it was. `first` is what they held when the kubeconfig was resolved.
CertificateSource certificate_files(std::string certificate_file, std::string key_file,
                                    ClientCertificate first, Clock& clock);

// A transport that authenticates with what `source` says: another certificate means new connections for new
// requests, while earlier ones end with the requests and WebSockets that they carry. The first certificate is
// asked for, and its parsing checked, before this returns.
Result<std::unique_ptr<http::Transport>> make_renewing_transport(http::Endpoint endpoint,
                                                                 CertificateSource source);

}  // namespace truenas::kube
