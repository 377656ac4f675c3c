#include "plugin/connection.h"

#include <fmt/format.h>

#include <cstdio>

#include "lib/base/text.h"
#include "plugin/console.h"

namespace truenas::plugin {

FlagGroup connection_flags() {
  return {"Connection flags (as kubectl's)",
          {
              {"kubeconfig", 0, "FILE", "Path to the kubeconfig file."},
              {"context", 0, "NAME", "The kubeconfig context to use."},
              {"cluster", 0, "NAME", "The kubeconfig cluster to use."},
              {"user", 0, "NAME", "The kubeconfig user to use."},
              {"server", 's', "URL", "The API server's address."},
              {"token", 0, "TOKEN", "Bearer token."},
              {"request-timeout", 0, "DURATION", "How long one request may take; 0 is for ever."},
              {"qps", 0, "N", "So many requests a second at most, and twice as many at once.", "50"},
              {"as", 0, "USER", "User to impersonate."},
              {"as-uid", 0, "UID", "UID to impersonate."},
              {"as-group", 0, "GROUP", "Group to impersonate.", "", true},
              {"as-user-extra", 0, "KEY=VALUE", "User extra to impersonate.", "", true},
              {"certificate-authority", 0, "FILE", "CA certificates to trust."},
              {"client-certificate", 0, "FILE", "Client certificate."},
              {"client-key", 0, "FILE", "Client key."},
              {"tls-server-name", 0, "NAME", "Server name to verify the certificate against."},
              {"insecure-skip-tls-verify", 0, "", "Do not verify the server's certificate."},
              {"disable-compression", 0, "", "Do not ask for compressed replies."},
              {"cache-dir", 0, "DIR", "Accepted for kubectl's sake; nothing is cached."},
              {"username", 0, "NAME", "User name for basic authentication."},
              {"password", 0, "PASSWORD", "Password for basic authentication."},
              {"v", 'v', "LEVEL", "Log level: 6 requests, 7 headers, 8 bodies."},
          }};
}

Result<kube::ConnectionFlags> read_connection_flags(const Arguments& arguments) {
  kube::ConnectionFlags flags;
  flags.kubeconfig = arguments.optional_text("kubeconfig");
  flags.context = arguments.optional_text("context");
  flags.cluster = arguments.optional_text("cluster");
  flags.user = arguments.optional_text("user");
  flags.server = arguments.optional_text("server");
  flags.token = arguments.optional_text("token");
  flags.ns = arguments.optional_text("namespace");
  TM_TRY_ASSIGN(flags.requests_a_second, read_count(arguments, "qps", 1, 10000));
  flags.request_timeout = arguments.optional_text("request-timeout");
  flags.as = arguments.optional_text("as");
  flags.as_uid = arguments.optional_text("as-uid");
  flags.as_groups = arguments.texts("as-group");
  flags.as_user_extra = arguments.texts("as-user-extra");
  flags.certificate_authority = arguments.optional_text("certificate-authority");
  flags.client_certificate = arguments.optional_text("client-certificate");
  flags.client_key = arguments.optional_text("client-key");
  flags.tls_server_name = arguments.optional_text("tls-server-name");
  flags.cache_dir = arguments.optional_text("cache-dir");
  flags.username = arguments.optional_text("username");
  flags.password = arguments.optional_text("password");
  if (arguments.given("insecure-skip-tls-verify")) {
    flags.insecure_skip_tls_verify = arguments.yes("insecure-skip-tls-verify");
  }
  if (arguments.given("disable-compression"))
    flags.disable_compression = arguments.yes("disable-compression");
  if (const auto level = arguments.optional_text("v")) {
    if (level->size() != 1 && *level != "10") {
      return make_error(Kind::usage,
                        fmt::format("invalid log level {} for -v: a number from 0 to 10", quote(*level)));
    }
    if (level->find_first_not_of("0123456789") != std::string::npos) {
      return make_error(Kind::usage,
                        fmt::format("invalid log level {} for -v: a number from 0 to 10", quote(*level)));
    }
    flags.verbosity = std::stoi(*level);
  }
  return flags;
}

namespace {

// A renewal that takes longer has failed: the lock must be seen to be lost before it ends (15 s).
constexpr Milliseconds k_lock_timeout{5000};

void log_line(std::string_view line) {
  tell(std::string(line) + "\n");
}

}  // namespace

Result<Connection> connect(const Arguments& arguments) {
  TM_TRY_ASSIGN(const kube::ConnectionFlags flags, read_connection_flags(arguments));
  Connection connection;
  TM_TRY_ASSIGN(connection.config, kube::resolve_client_config(flags, kube::process_environment()));
  TM_TRY_ASSIGN(connection.session,
                kube::open_session(connection.config, flags.verbosity, log_line, system_clock()));
  return connection;
}

Result<std::unique_ptr<kube::Session>> connect_for_lock(const Connection& connection) {
  kube::ClientConfig config = connection.config;
  config.request_timeout = k_lock_timeout;
  return kube::open_session(config, connection.session->options().verbosity, log_line, system_clock());
}

}  // namespace truenas::plugin
