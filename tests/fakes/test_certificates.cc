#include "tests/fakes/test_certificates.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <atomic>
#include <stdexcept>

namespace truenas::fakes {
namespace {

void require(bool ok, const char* what) {
  if (!ok) throw std::runtime_error(std::string("test certificates: ") + what);
}

std::string text_of(BIO* memory) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory, &data);
  std::string text(data, static_cast<std::size_t>(size));
  BIO_free(memory);
  return text;
}

std::string pem_of(X509* certificate) {
  BIO* memory = BIO_new(BIO_s_mem());
  require(PEM_write_bio_X509(memory, certificate) == 1, "writing a certificate");
  return text_of(memory);
}

void add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  require(extension != nullptr, value.c_str());
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

X509* new_certificate(const std::string& name, EVP_PKEY* key, long from, long until) {
  static std::atomic<long> serial{1};
  X509* certificate = X509_new();
  require(certificate != nullptr, "memory");
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++);
  X509_gmtime_adj(X509_getm_notBefore(certificate), from);
  X509_gmtime_adj(X509_getm_notAfter(certificate), until);
  X509_set_pubkey(certificate, key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  return certificate;
}

}  // namespace

CertificateAuthority::CertificateAuthority(const std::string& name) : key_(EVP_EC_gen("P-256")) {
  require(key_ != nullptr, "generating a key");
  certificate_ = new_certificate(name, key_, -86400, 86400);
  X509_set_issuer_name(certificate_, X509_get_subject_name(certificate_));
  add_extension(certificate_, certificate_, NID_basic_constraints, "critical,CA:TRUE");
  add_extension(certificate_, certificate_, NID_key_usage, "critical,keyCertSign,cRLSign");
  require(X509_sign(certificate_, key_, EVP_sha256()) > 0, "signing the authority");
}

CertificateAuthority::~CertificateAuthority() {
  X509_free(certificate_);
  EVP_PKEY_free(key_);
}

std::string CertificateAuthority::pem() const {
  return pem_of(certificate_);
}

Identity CertificateAuthority::issue(const CertificateRequest& request) const {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  require(key != nullptr, "generating a key");
  X509* leaf =
      new_certificate(request.common_name, key, request.valid_from_seconds, request.valid_for_seconds);
  X509_set_issuer_name(leaf, X509_get_subject_name(certificate_));
  std::string names;
  for (const std::string& name : request.alternative_names) names += (names.empty() ? "" : ",") + name;
  if (!names.empty()) add_extension(leaf, certificate_, NID_subject_alt_name, names);
  require(X509_sign(leaf, key_, EVP_sha256()) > 0, "signing a leaf");
  Identity identity;
  identity.certificate_pem = pem_of(leaf);
  BIO* memory = BIO_new(BIO_s_mem());
  require(PEM_write_bio_PrivateKey(memory, key, nullptr, nullptr, 0, nullptr, nullptr) == 1, "writing a key");
  identity.key_pem = text_of(memory);
  X509_free(leaf);
  EVP_PKEY_free(key);
  return identity;
}

}  // namespace truenas::fakes
