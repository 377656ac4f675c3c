#include "lib/http/pem.h"

#include <doctest/doctest.h>

#include "lib/base/text.h"
#include "tests/fakes/test_certificates.h"

using truenas::Kind;
using truenas::http::check_certificates;
using truenas::http::check_private_key;

TEST_CASE("whole certificates and keys pass, also several and with text between") {
  const truenas::fakes::CertificateAuthority authority("ca");
  const auto identity = authority.issue();
  CHECK(check_certificates(authority.pem(), "ca").ok());
  CHECK(check_certificates("subject=x\n" + identity.certificate_pem + "\n# next\n" + authority.pem(), "ca")
            .ok());
  CHECK(check_private_key(identity.key_pem, "key").ok());
}

TEST_CASE("what is no certificate is refused before any connection") {
  const std::string pem = truenas::fakes::CertificateAuthority("ca").pem();
  std::string flipped = pem;
  flipped[40] = '!';
  for (const std::string& text :
       {std::string(), std::string("hello"), pem.substr(0, pem.size() / 2),
        std::string("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"),
        std::string("-----BEGIN CERTIFICATE-----\nMAA=\n"), std::string("-----BEGIN CERTIFICATE-----"),
        flipped, pem + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"}) {
    CAPTURE(std::string(text));
    const auto checked = check_certificates(text, "the ca");
    REQUIRE_FALSE(checked.ok());
    CHECK(checked.error().kind == Kind::config);
    CHECK(truenas::contains(checked.error().what, "the ca"));
  }
}

TEST_CASE("a key that is broken or encrypted is refused and not repeated") {
  const auto identity = truenas::fakes::CertificateAuthority("ca").issue();
  const std::string half = identity.key_pem.substr(0, identity.key_pem.size() / 2);
  const auto broken = check_private_key(half, "the key");
  REQUIRE_FALSE(broken.ok());
  CHECK_FALSE(truenas::contains(broken.error().what, identity.key_pem.substr(40, 20)));
  const auto encrypted = check_private_key(
      "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----\n", "the key");
  REQUIRE_FALSE(encrypted.ok());
  CHECK(encrypted.error().what == "the key: an encrypted private key cannot be used");
  CHECK_FALSE(check_private_key(identity.certificate_pem, "the key").ok());
}
