#include <fmt/format.h>

#include <cerrno>
#include <cstring>

#include "lib/base/text.h"
#include "lib/http/curl_failure_internal.h"

namespace truenas::http {
namespace {

// OpenSSL's X509_V_ERR_* (include/openssl/x509_vfy.h), as CURLINFO_SSL_VERIFYRESULT hands them on.
constexpr long k_not_yet_valid = 9, k_expired = 10;

std::string seconds_text(Milliseconds duration) {
  return fmt::format("{:g} s", static_cast<double>(duration.count()) / 1000.0);
}

Error unable(Kind kind, const std::string& why, std::vector<std::string> hints = {}) {
  return make_error(kind, "unable to connect to the server: " + why, std::move(hints));
}

Error untrusted(const Origin& origin, const Ending& ending) {
  const std::string failed = "tls: failed to verify certificate: x509: ";
  const Endpoint& endpoint = origin.endpoint;
  const std::string name = endpoint.tls_server_name.empty() ? endpoint.host : endpoint.tls_server_name;
  if (ending.verify_result == k_expired || ending.verify_result == k_not_yet_valid) {
    return unable(
        Kind::auth, failed + "certificate has expired or is not yet valid",
        {"check this machine's clock: date -u",
         fmt::format("look at the dates: openssl s_client -connect {} </dev/null | openssl x509 -noout "
                     "-dates",
                     origin.server)});
  }
  if (contains(ending.detail, "match")) {  // the chain is fine, the name is not (libcurl's own check)
    return unable(Kind::auth, failed + fmt::format("certificate is not valid for {}", printable(name)),
                  {"give a name that is in the certificate: --tls-server-name=NAME"});
  }
  return unable(Kind::auth,
                failed + fmt::format("certificate signed by unknown authority ({})", ending.detail),
                {"check certificate-authority-data of this cluster: kubectl config view --minify --raw"});
}

// An alert about our certificate. In TLS 1.3 it arrives after the request has left, but the server checks
// the certificate before it reads a byte of it: nothing was done.
bool is_certificate_alert(const Ending& ending) {
  for (const char* text : {"alert certificate required", "alert bad certificate", "alert unknown ca",
                           "alert certificate expired", "alert certificate revoked",
                           "alert certificate unknown", "alert unsupported certificate"}) {
    if (contains(ending.detail, text)) return true;
  }
  return contains(ending.detail, "alert handshake failure") && !ending.sent;
}

Error not_accepted(const Ending& ending) {
  return unable(Kind::auth,
                fmt::format("the server does not accept the client certificate ({})", ending.detail),
                {"check client-certificate-data of this user: kubectl config view --minify --raw"});
}

Error no_connection(const Origin& origin, const Ending& ending) {
  if (!origin.proxy.empty()) {
    return unable(Kind::unavailable, fmt::format("through the proxy: {}", ending.detail));
  }
  if (ending.os_error == ECONNREFUSED || contains(ending.detail, "Connection refused")) {
    return make_error(
        Kind::unavailable,
        fmt::format("the connection to the server {} was refused - did you specify the right host "
                    "or port?",
                    origin.server));
  }
  const std::string why =
      ending.os_error != 0 ? std::strerror(static_cast<int>(ending.os_error)) : ending.detail;
  return unable(Kind::unavailable, fmt::format("dial tcp {}: {}", origin.server, lower(why)));
}

Error bad_handshake(const Origin& origin, const Ending& ending) {
  if (contains(ending.detail, "wrong version number") || contains(ending.detail, "packet length too long")) {
    return unable(Kind::unavailable,
                  fmt::format("{} does not speak TLS (http: server gave HTTP response to HTTPS client)",
                              origin.server));
  }
  return unable(Kind::unavailable,
                fmt::format("tls: handshake with {} failed: {}", origin.server, ending.detail));
}

// Before anything was sent, or for a read: what libcurl's code says.
Error describe_code(const Origin& origin, const Request& request, const Ending& ending) {
  switch (ending.code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return unable(Kind::unavailable,
                    fmt::format("dial tcp: lookup {}: no such host", printable(origin.endpoint.host)));
    case CURLE_COULDNT_RESOLVE_PROXY:
      return unable(Kind::unavailable, fmt::format("proxy: {}", lower(ending.detail)));
    case CURLE_COULDNT_CONNECT:
    case CURLE_PROXY:
      return no_connection(origin, ending);
    case CURLE_OPERATION_TIMEDOUT:
      if (ending.sent) {
        return make_error(Kind::unavailable, fmt::format("the server {} did not finish its reply within {}",
                                                         origin.server, seconds_text(request.timeout)));
      }
      return unable(Kind::unavailable, fmt::format("dial tcp {}: i/o timeout", origin.server));
    case CURLE_PEER_FAILED_VERIFICATION:
      return untrusted(origin, ending);
    case CURLE_SSL_CONNECT_ERROR:
      return bad_handshake(origin, ending);
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ENGINE_NOTFOUND:
      return make_error(Kind::config, fmt::format("the TLS files of {}: {}", origin.server, ending.detail));
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
      return make_error(Kind::format, fmt::format("the server {} does not answer in HTTP/1.1: {}",
                                                  origin.server, lower(ending.detail)));
    case CURLE_BAD_CONTENT_ENCODING:
    case CURLE_WRITE_ERROR:
      return make_error(Kind::format, fmt::format("the reply of the server {} cannot be decoded: {}",
                                                  origin.server, lower(ending.detail)));
    case CURLE_GOT_NOTHING:
      return unable(Kind::unavailable,
                    fmt::format("{} closed the connection without a reply (EOF)", origin.server));
    case CURLE_PARTIAL_FILE:
      return make_error(Kind::unavailable, fmt::format("the server {} cut its reply short: {}", origin.server,
                                                       lower(ending.detail)));
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
      if (ending.sent) {
        return make_error(Kind::unavailable, fmt::format("lost the connection to the server {}: {}",
                                                         origin.server, ending.detail));
      }
      return no_connection(origin, ending);
    default:
      return unable(Kind::unavailable, ending.detail);
  }
}

Error describe_cause(const Origin& origin, const Request& request, const Ending& ending) {
  switch (ending.cause) {
    case Ending::Cause::sink:
      if (ending.error) return *ending.error;
      return make_error(Kind::bug, "a reply's reader failed without a reason");
    case Ending::Cause::interrupted:
      return make_error(Kind::interrupted,
                        fmt::format("interrupted while talking to the server {}", origin.server));
    case Ending::Cause::stalled:
      return make_error(Kind::unavailable, fmt::format("the server {} has sent nothing for {}", origin.server,
                                                       seconds_text(request.stall)));
    case Ending::Cause::too_large:
      return make_error(Kind::format,
                        fmt::format("the reply of the server {} is larger than any reply of an API "
                                    "server",
                                    origin.server));
    case Ending::Cause::unframed:
      return make_error(Kind::format,
                        fmt::format("the reply of the server {} has neither a length nor chunks, so "
                                    "nobody can tell whether it is whole",
                                    origin.server),
                        {"a proxy that speaks HTTP/1.0 may stand in between"});
    case Ending::Cause::would_resend:
      return make_error(
          Kind::unavailable,
          fmt::format("the server {} closed a kept-alive connection under the request", origin.server));
    case Ending::Cause::curl:
    case Ending::Cause::done:
      return describe_code(origin, request, ending);
  }
  return make_error(Kind::bug, "an exchange ended in no known way");
}

}  // namespace

Error describe_failure(const Origin& origin, const Request& request, bool is_write, const Ending& ending) {
  if (is_certificate_alert(ending)) return not_accepted(ending);
  Error error = describe_cause(origin, request, ending);
  if (!is_write || !ending.sent) return error;
  const std::string path = request.target.substr(0, request.target.find('?'));
  error.kind = Kind::outcome_unknown;
  error.what =
      fmt::format("sent {} {}, but no whole reply came, so it may or may not have been carried out: {}",
                  request.method, path, error.what);
  return error;
}

}  // namespace truenas::http
