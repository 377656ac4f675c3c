#pragma once
// A first look at PEM text, so that a broken certificate is a configuration error when the client is made and
// not a TLS error at the first request. It must not judge trust: that is the TLS library's.

#include <string_view>

#include "lib/base/result.h"

namespace truenas::http {

// At least one CERTIFICATE block, each holding one whole DER sequence. `what` names it in the error
// ("the cluster's certificate authority"). Kind::config.
Result<void> check_certificates(std::string_view pem, std::string_view what);
// A private key block, not encrypted (nobody can be asked for its passphrase). The key never appears in the
// error. Kind::config.
Result<void> check_private_key(std::string_view pem, std::string_view what);

}  // namespace truenas::http
