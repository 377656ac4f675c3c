#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "lib/base/text.h"
#include "lib/http/curl_options_internal.h"
#include "lib/http/pem.h"
#include "lib/http/proxy.h"

namespace truenas::http {
namespace {

constexpr long k_keepalive_seconds = 30;  // Y7
constexpr long k_buffer_bytes = 256L * 1024;

std::optional<std::string> process_environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  return value;
}

std::string in_brackets(const std::string& host) {
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

bool is_line(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

bool is_token(std::string_view text) {  // RFC 9110 §5.6.2
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

bool is_target(std::string_view text) {
  return !text.empty() && text.front() == '/' &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f && c != '#'; });
}

Result<void> check_identity(const Endpoint& endpoint) {
  if (!endpoint.ca_pem.empty()) {
    TM_TRY(check_certificates(endpoint.ca_pem, "unable to load root certificates"));
  }
  if (endpoint.certificate_pem.empty() != endpoint.key_pem.empty()) {
    return make_error(Kind::config, "a client certificate and its key must be given together");
  }
  if (endpoint.certificate_pem.empty()) return {};
  TM_TRY(check_certificates(endpoint.certificate_pem, "unable to load the client certificate"));
  return check_private_key(endpoint.key_pem.reveal(), "unable to load the client key");
}

// libcurl copies a blob only where told to; the origin outlives every handle.
curl_blob blob_of(const std::string& bytes) {
  return curl_blob{const_cast<char*>(bytes.data()), bytes.size(), CURL_BLOB_NOCOPY};
}

void set_tls(OptionSetter& options, const Endpoint& endpoint) {
  const long verify = endpoint.insecure_skip_verify ? 0L : 1L;
  options
      .set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2))  // T6
      .set(CURLOPT_SSL_VERIFYPEER, verify)
      .set(CURLOPT_SSL_VERIFYHOST, 2 * verify)
      .set(CURLOPT_PROXY_SSL_VERIFYPEER, verify)
      .set(CURLOPT_PROXY_SSL_VERIFYHOST, 2 * verify);
  if (!endpoint.ca_pem.empty()) {
    curl_blob ca = blob_of(endpoint.ca_pem);
    // The blob overrides only CAINFO; without these two the system's directory would stay trusted (P5).
    options.set(CURLOPT_CAINFO_BLOB, &ca)
        .set(CURLOPT_CAPATH, static_cast<char*>(nullptr))
        .set(CURLOPT_PROXY_CAINFO_BLOB, &ca)
        .set(CURLOPT_PROXY_CAPATH, static_cast<char*>(nullptr));
  }
  if (!endpoint.certificate_pem.empty()) {
    curl_blob certificate = blob_of(endpoint.certificate_pem);
    curl_blob key = blob_of(endpoint.key_pem.reveal());
    options.set(CURLOPT_SSLCERT_BLOB, &certificate)
        .set(CURLOPT_SSLCERTTYPE, "PEM")
        .set(CURLOPT_SSLKEY_BLOB, &key)
        .set(CURLOPT_SSLKEYTYPE, "PEM");
  }
}

void set_body(OptionSetter& options, const Request& request) {
  const bool always_has_body =
      request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
  if (request.body.empty() && !always_has_body) {
    options.set(CURLOPT_HTTPGET, 1L);
  } else {
    options.set(CURLOPT_POST, 1L)
        .set(CURLOPT_POSTFIELDS, request.body.data())
        .set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
  }
  options.set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
  if (request.method == "HEAD") options.set(CURLOPT_NOBODY, 1L);
}

Result<void> fill_headers(const Origin& origin, const Request& request, HeaderList& list) {
  bool has_content_type = false;
  TM_TRY(append(list, "Host: " + origin.host_header));
  TM_TRY(append(list, "Expect:"));  // a 100-continue would only cost a second
  for (const auto& [name, value] : request.headers) {
    has_content_type = has_content_type || lower(name) == "content-type";
    // libcurl reads "Name:" as "leave it out" and "Name;" as an empty value.
    TM_TRY(append(list, value.empty() ? name + ";" : fmt::format("{}: {}", name, value)));
  }
  if (!has_content_type) TM_TRY(append(list, "Content-Type:"));
  if (request.authorization.empty()) return {};
  return append(list, request.authorization_header + ": " + request.authorization.reveal());
}

}  // namespace

Result<Origin> resolve_origin(Endpoint endpoint) {
  TM_TRY(initialize_curl());
  TM_TRY(check_identity(endpoint));
  if (endpoint.scheme != "http" && endpoint.scheme != "https") {
    return make_error(Kind::config,
                      fmt::format("unsupported scheme {} of the server", quote(endpoint.scheme)));
  }
  for (const std::string& name : {endpoint.host, endpoint.tls_server_name}) {
    if (name.find_first_of(std::string_view(" /@?#\r\n\t\0", 9)) != std::string::npos) {
      return make_error(Kind::config, fmt::format("{} is not a host name", quote(name)));
    }
  }
  if (endpoint.host.empty()) return make_error(Kind::config, "the server has no host name");
  Origin origin;
  const int default_port = endpoint.scheme == "https" ? 443 : 80;
  const bool renamed = endpoint.scheme == "https" && !endpoint.tls_server_name.empty();
  const std::string verified = in_brackets(renamed ? endpoint.tls_server_name : endpoint.host);
  origin.server = fmt::format("{}:{}", in_brackets(endpoint.host), endpoint.port);
  origin.base_url = fmt::format("{}://{}:{}", endpoint.scheme, verified, endpoint.port);
  if (renamed) origin.connect_to = fmt::format("{}:{}:{}", verified, endpoint.port, origin.server);
  origin.host_header = endpoint.port == default_port ? in_brackets(endpoint.host) : origin.server;
  std::string proxy = endpoint.proxy;
  if (proxy.empty() && endpoint.proxy_from_environment) {
    proxy = proxy_from_environment(process_environment, endpoint.scheme, endpoint.host, endpoint.port);
  }
  TM_TRY_ASSIGN(origin.proxy, proxy_for_curl(proxy));
  origin.endpoint = std::move(endpoint);
  return origin;
}

Result<void> apply_origin(CURL* easy, const Origin& origin, OptionLists& lists) {
  const Endpoint& endpoint = origin.endpoint;
  curl_easy_reset(easy);
  OptionSetter options(easy);
  options.set(CURLOPT_PROTOCOLS_STR, endpoint.scheme.c_str())
      .set(CURLOPT_FOLLOWLOCATION, 0L)
      .set(CURLOPT_NOSIGNAL, 1L)
      .set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1))
      .set(CURLOPT_HTTP09_ALLOWED, 0L)
      .set(CURLOPT_PATH_AS_IS, 1L)
      .set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(endpoint.timings.connect.count()))
      .set(CURLOPT_TCP_KEEPALIVE, 1L)
      .set(CURLOPT_TCP_KEEPIDLE, k_keepalive_seconds)
      .set(CURLOPT_TCP_KEEPINTVL, k_keepalive_seconds)
      .set(CURLOPT_BUFFERSIZE, k_buffer_bytes)
      .set(CURLOPT_HEADEROPT, static_cast<long>(CURLHEADER_SEPARATE))  // no credentials in a CONNECT
      .set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L)
      .set(CURLOPT_PROXY, origin.proxy.c_str())  // "" also keeps libcurl from reading the environment
      .set(CURLOPT_NOPROXY, "");
  if (!endpoint.user_agent.empty()) options.set(CURLOPT_USERAGENT, endpoint.user_agent.c_str());
  if (!origin.connect_to.empty()) {
    TM_TRY(append(lists.connect_to, origin.connect_to));
    options.set(CURLOPT_CONNECT_TO, lists.connect_to.get());
  }
  if (endpoint.scheme == "https" || !origin.proxy.empty()) set_tls(options, endpoint);
  return options.result();
}

Result<void> check_request(const Request& request) {
  if (!is_token(request.method)) return make_error(Kind::bug, "a request with a method that is none");
  if (!is_target(request.target)) {
    return make_error(Kind::bug, fmt::format("{} is not a request target", quote(request.target)));
  }
  for (const auto& [name, value] : request.headers) {
    if (!is_token(name) || !is_line(value)) {
      return make_error(Kind::config,
                        fmt::format("header {} cannot be sent: a line break is in it", quote(name)));
    }
  }
  if (!is_token(request.authorization_header) || !is_line(request.authorization.reveal())) {
    return make_error(Kind::config, "the credentials cannot be sent: a line break is in them",
                      {"look for a line break within the token"});
  }
  return {};
}

Result<void> apply_request(CURL* easy, const Origin& origin, const Request& request, OptionLists& lists) {
  TM_TRY(check_request(request));
  TM_TRY(fill_headers(origin, request, lists.headers));
  const std::string url = origin.base_url + request.target;
  OptionSetter options(easy);
  options.set(CURLOPT_URL, url.c_str())
      .set(CURLOPT_HTTPHEADER, lists.headers.get())
      .set(CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()));
  if (request.compressed && origin.endpoint.compression) options.set(CURLOPT_ACCEPT_ENCODING, "gzip");
  set_body(options, request);
  return options.result();
}

}  // namespace truenas::http
