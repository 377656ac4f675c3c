#pragma once
// Certificates made while a test runs, so that none lies in the repository and none ever expires there.

#include <memory>
#include <string>
#include <vector>

using EVP_PKEY = struct evp_pkey_st;
using X509 = struct x509_st;

namespace truenas::fakes {

// A certificate (PEM, leaf first) and its private key (PKCS #8 PEM).
struct Identity {
  std::string certificate_pem, key_pem;
};

struct CertificateRequest {
  std::string common_name = "test";
  std::vector<std::string> alternative_names = {"IP:127.0.0.1", "DNS:localhost"};  // OpenSSL's notation
  long valid_from_seconds = -3600;                                                 // from now
  long valid_for_seconds = 3600;  // from now; negative: expired
};

class CertificateAuthority {
 public:
  explicit CertificateAuthority(const std::string& name);
  ~CertificateAuthority();
  CertificateAuthority(const CertificateAuthority&) = delete;
  CertificateAuthority& operator=(const CertificateAuthority&) = delete;
  std::string pem() const;
  Identity issue(const CertificateRequest& request = {}) const;

 private:
  EVP_PKEY* key_;
  X509* certificate_;
};

}  // namespace truenas::fakes
