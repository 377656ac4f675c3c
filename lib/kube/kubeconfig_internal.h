#pragma once
// The stages between kubeconfig files and ClientConfig, for the files of lib/kube that implement
// kubeconfig.h and for nobody else. A stanza here is what the files say, before any flag or default.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lib/base/result.h"
#include "lib/base/secret.h"
#include "lib/json/value.h"
#include "lib/kube/kubeconfig.h"

namespace truenas::kube {

struct ClusterStanza {
  std::string server, tls_server_name, certificate_authority, certificate_authority_data, proxy_url;
  bool insecure_skip_tls_verify = false, disable_compression = false;
  json::Value exec_config;  // the extension named client.authentication.k8s.io/exec (E3)
};

struct UserStanza {
  std::string client_certificate, client_certificate_data, client_key, token_file, username, impersonate,
      impersonate_uid;
  Secret client_key_data, token, password;
  std::vector<std::string> impersonate_groups;
  std::map<std::string, std::vector<std::string>> impersonate_extra;
  std::optional<std::string> auth_provider;  // its name
  std::optional<ExecPlugin> exec;
};

struct ContextStanza {
  std::string cluster, user, ns;
};

// One file, or the merge of several.
struct Stanzas {
  std::string current_context;
  std::map<std::string, ClusterStanza> clusters;
  std::map<std::string, UserStanza> users;
  std::map<std::string, ContextStanza> contexts;
  std::vector<std::string> missing;  // K4: files that KUBECONFIG lists; filled only when nothing was loaded
};

// Decodes one file (K6-K9). `source` begins every error.
Result<Stanzas> parse_stanzas(const std::string& text, const std::string& source);
// Finds and loads every file, resolves its paths and merges (K1-K5, M1-M3).
Result<Stanzas> load_stanzas(const ConnectionFlags& flags, const Environment& environment);

// What is left after choosing (R1-R3) and laying the flags over it (T4, T5).
struct Choice {
  std::string context_name, cluster_name, user_name;
  bool context_missing = false;  // current-context names nothing
  ContextStanza context;
  ClusterStanza cluster;
  UserStanza user;
};
Result<Choice> choose(const Stanzas& stanzas, const ConnectionFlags& flags);

// Contents of the certificate files that a choice names, each read exactly once: it may be a pipe.
struct CertificateFiles {
  std::string authority, certificate;
  Secret key;
};
// Reads them and collects every problem of the choice at once (T1, T2, A4, A7, E1, P1), with client-go's
// wording.
Result<CertificateFiles> validate(const Choice& choice, const Environment& environment);

// Lays out the https part of a configuration: TLS and credentials (R6, T3, A1, A4-A6, E1, E3).
Result<void> apply_credentials(const Choice& choice, const CertificateFiles& files,
                               const Environment& environment, ClientConfig& config);

// R8: whether the surroundings are those of a Pod.
bool in_cluster_possible(const Environment& environment);
Result<void> apply_in_cluster(const ConnectionFlags& flags, const Environment& environment,
                              ClientConfig& config);
// R7: POD_NAMESPACE, the service account's namespace, or "default".
std::string in_cluster_namespace(const Environment& environment);

// E9: what kuberc says about credential plugins, laid into `plugin`.
Result<void> apply_plugin_policy(const Environment& environment, ExecPlugin& plugin,
                                 std::vector<Notice>& notices);

// "Bearer <token>"; Kind::auth when the token cannot stand in a header.
Result<Secret> bearer(const std::string& token);
// A7: none without impersonate_user. Kind::config for values that cannot stand in a header.
Result<std::vector<http::Header>> impersonation_headers(const ClientConfig& config);

// `path` relative to `directory`, with "." and ".." removed as Go's filepath.Join does; absolute paths
// unchanged.
std::string absolute_path(const std::string& directory, const std::string& path);
// filepath.Clean.
std::string clean_path(const std::string& path);
// The value of an environment variable, "" if unset.
std::string variable_or_empty(const Environment& environment, const std::string& name);

}  // namespace truenas::kube
