#pragma once
// kubeconfig: finding, loading, merging and choosing, exactly as client-go does (K1-K9, M1-M3, R1-R8, T1-T5,
// A4-A7). The outcome is ClientConfig, which holds everything a Session needs. Deciding is pure over
// Environment; only load reads files. It must not open connections or run credential plugins.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lib/base/result.h"
#include "lib/base/secret.h"
#include "lib/http/curl_transport.h"
#include "lib/json/value.h"
#include "lib/kube/session.h"

namespace truenas::kube {

// kubectl's connection flags (P4) as given; nullopt where not given.
struct ConnectionFlags {
  std::optional<std::string> kubeconfig, context, cluster, user, server, token, ns, request_timeout, as,
      as_uid, certificate_authority, client_certificate, client_key, tls_server_name, username, password,
      cache_dir;
  std::vector<std::string> as_groups, as_user_extra;
  std::optional<bool> insecure_skip_tls_verify, disable_compression;
  int verbosity = 0;
  std::size_t requests_a_second = 50;  // ours: kubectl has no flag for it (Y5)
};

// The process's surroundings, so that tests need neither environment nor files of their own.
struct Environment {
  std::function<std::optional<std::string>(const std::string& name)> variable;
  // The whole file, at most 64 MiB. Errors: not_found, or config; `what` is the reason alone ("permission
  // denied"), without the path.
  std::function<Result<std::string>(const std::string& path)> read_file;
  std::string working_directory;
  bool stdin_is_terminal = false;
};
Environment process_environment();

// What may be run as a credential plugin, from kuberc (E9). kubectl checks it too, but only for itself.
struct PluginPolicy {
  enum class Type { allow_all, deny_all, allowlist } type = Type::allow_all;
  std::vector<std::string> allowlist;  // names (PATH) or absolute paths
};

// An exec credential plugin as configured (E1-E4).
struct ExecPlugin {
  std::string command, api_version, install_hint, interactive_mode;  // paths resolved (M3)
  std::vector<std::string> args;
  std::vector<std::pair<std::string, std::string>> env;
  bool provide_cluster_info = false;
  json::Value cluster_info;        // spec.cluster of KUBERNETES_EXEC_INFO (E3), null unless asked for
  bool stdin_is_terminal = false;  // E4
  PluginPolicy policy;
};

// Something worth a line on stderr that does not stop the resolution; shown from that verbosity on.
struct Notice {
  int verbosity = 0;
  std::string text;
};

struct ClientConfig {
  http::Endpoint endpoint;  // certificates loaded
  std::string server;       // as written, for messages
  std::string path_prefix;  // R5
  std::string ns;           // R7
  bool ns_given = false;    // by flag, not by context or default
  // T7: set when both come from files, which are then read again.
  std::string certificate_file, key_file;
  Secret token;
  std::string token_file;  // A1, A2
  std::string username;
  Secret password;
  std::optional<ExecPlugin> exec;
  std::string impersonate_user, impersonate_uid;
  std::vector<std::string> impersonate_groups;
  std::vector<std::pair<std::string, std::vector<std::string>>> impersonate_extra;
  Milliseconds request_timeout{0};
  std::size_t requests_a_second = 50;  // Y5
  std::string context;                 // the chosen context's name, "" for none
  std::vector<Notice> notices;
};

// Finds, loads, merges and resolves. Kind::config (or usage, for a bad flag value) with kubectl's wording.
Result<ClientConfig> resolve_client_config(const ConnectionFlags& flags, const Environment& environment);
// The CredentialSource that the configuration asks for: token file over token over basic over exec (A1-A5).
std::unique_ptr<CredentialSource> make_credentials(const ClientConfig& config, Clock& clock);
// The session for a configuration, over the real transport. An exec plugin that returns a client certificate
// is run here once, because the transport needs it (E8). `log` takes -v and warning lines.
Result<std::unique_ptr<Session>> open_session(const ClientConfig& config, int verbosity,
                                              std::function<void(std::string_view)> log, Clock& clock);

}  // namespace truenas::kube
