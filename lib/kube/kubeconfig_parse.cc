// Decoding one kubeconfig file as Go's JSON decoder would: unknown fields are ignored, known ones must have
// their type, null counts as absent (K6-K9).
#include <fmt/format.h>

#include <algorithm>

#include "lib/base/text.h"
#include "lib/kube/kubeconfig_fields.h"
#include "lib/kube/kubeconfig_internal.h"

namespace truenas::kube {
namespace {

using json::Value;
using json::View;

constexpr std::string_view k_exec_extension = "client.authentication.k8s.io/exec";

Result<void> check_header(const View& root) {
  TM_TRY(expect_object(root));
  TM_TRY_ASSIGN(const std::string kind, text_of(root, "/kind"));
  TM_TRY_ASSIGN(const std::string version, text_of(root, "/apiVersion"));
  if ((kind.empty() || kind == "Config") && (version.empty() || version == "v1")) return {};
  return make_error(Kind::config, fmt::format("{}: no kind {} is registered for version {}", root.source(),
                                              quote(kind.empty() ? "Config" : kind),
                                              quote(version.empty() ? "v1" : version)));
}

// Extensions are opaque, but their names must not repeat (K7). Returns the exec plugins' one.
Result<Value> extensions(const View& view) {
  TM_TRY_ASSIGN(const std::vector<View> items, entries_of(view, "/extensions"));
  std::map<std::string, Value> seen;
  for (const View& item : items) {
    TM_TRY_ASSIGN(const std::string name, text_of(item, "/name"));
    const Value* extension = item.value().find("extension");
    if (!seen.emplace(name, extension == nullptr ? Value() : *extension).second) {
      return make_error(Kind::config, fmt::format("{}: error converting *[]NamedExtension into "
                                                  "*map[string]runtime.Object: duplicate name {} in list",
                                                  place_of(view, "/extensions"), quote(name)));
    }
  }
  const auto found = seen.find(std::string(k_exec_extension));
  return found == seen.end() ? Value() : found->second;
}

Result<ClusterStanza> parse_cluster(const View& view) {
  ClusterStanza cluster;
  TM_TRY_ASSIGN(cluster.server, text_of(view, "/server"));
  TM_TRY_ASSIGN(cluster.tls_server_name, text_of(view, "/tls-server-name"));
  TM_TRY_ASSIGN(cluster.insecure_skip_tls_verify, flag_of(view, "/insecure-skip-tls-verify"));
  TM_TRY_ASSIGN(cluster.certificate_authority, text_of(view, "/certificate-authority"));
  TM_TRY_ASSIGN(cluster.certificate_authority_data, bytes_of(view, "/certificate-authority-data"));
  TM_TRY_ASSIGN(cluster.proxy_url, text_of(view, "/proxy-url"));
  TM_TRY_ASSIGN(cluster.disable_compression, flag_of(view, "/disable-compression"));
  TM_TRY_ASSIGN(cluster.exec_config, extensions(view));
  return cluster;
}

Result<ExecPlugin> parse_exec(const View& view) {
  ExecPlugin plugin;
  TM_TRY_ASSIGN(plugin.command, text_of(view, "/command"));
  TM_TRY_ASSIGN(plugin.args, strings_of(view, "/args"));
  TM_TRY_ASSIGN(plugin.api_version, text_of(view, "/apiVersion"));
  TM_TRY_ASSIGN(plugin.install_hint, text_of(view, "/installHint"));
  TM_TRY_ASSIGN(plugin.provide_cluster_info, flag_of(view, "/provideClusterInfo"));
  TM_TRY_ASSIGN(plugin.interactive_mode, text_of(view, "/interactiveMode"));
  if (plugin.interactive_mode.empty() && (plugin.api_version == "client.authentication.k8s.io/v1beta1" ||
                                          plugin.api_version == "client.authentication.k8s.io/v1alpha1")) {
    plugin.interactive_mode = "IfAvailable";
  }
  TM_TRY_ASSIGN(const std::vector<View> variables, entries_of(view, "/env"));
  for (const View& variable : variables) {
    TM_TRY_ASSIGN(std::string name, text_of(variable, "/name"));
    TM_TRY_ASSIGN(std::string value, text_of(variable, "/value"));
    plugin.env.emplace_back(std::move(name), std::move(value));
  }
  return plugin;
}

Result<void> parse_impersonation(const View& view, UserStanza& user) {
  TM_TRY_ASSIGN(user.impersonate, text_of(view, "/as"));
  TM_TRY_ASSIGN(user.impersonate_uid, text_of(view, "/as-uid"));
  TM_TRY_ASSIGN(user.impersonate_groups, strings_of(view, "/as-groups"));
  TM_TRY_ASSIGN(const bool extra, has_object(view, "/as-user-extra"));
  if (!extra) return {};
  TM_TRY_ASSIGN(const View map, view.get_object("/as-user-extra"));
  for (const auto& [key, value] : map.value().members()) {
    TM_TRY_ASSIGN(user.impersonate_extra[key], strings_of(map, "/" + json::pointer_token(key)));
  }
  return {};
}

Result<UserStanza> parse_user(const View& view) {
  UserStanza user;
  TM_TRY_ASSIGN(user.client_certificate, text_of(view, "/client-certificate"));
  TM_TRY_ASSIGN(user.client_certificate_data, bytes_of(view, "/client-certificate-data"));
  TM_TRY_ASSIGN(user.client_key, text_of(view, "/client-key"));
  TM_TRY_ASSIGN(std::string key_data, bytes_of(view, "/client-key-data"));
  user.client_key_data = Secret(std::move(key_data));
  TM_TRY_ASSIGN(std::string token, text_of(view, "/token"));
  user.token = Secret(std::move(token));
  TM_TRY_ASSIGN(user.token_file, text_of(view, "/tokenFile"));
  TM_TRY_ASSIGN(user.username, text_of(view, "/username"));
  TM_TRY_ASSIGN(std::string password, text_of(view, "/password"));
  user.password = Secret(std::move(password));
  TM_TRY(parse_impersonation(view, user));
  TM_TRY_ASSIGN(const bool provider, has_object(view, "/auth-provider"));
  if (provider) {
    TM_TRY_ASSIGN(user.auth_provider, text_of(view, "/auth-provider/name"));
    TM_TRY(check_strings(view, "/auth-provider/config"));
  }
  TM_TRY_ASSIGN(const bool exec, has_object(view, "/exec"));
  if (exec) {
    TM_TRY_ASSIGN(const View plugin, view.get_object("/exec"));
    TM_TRY_ASSIGN(user.exec, parse_exec(plugin));
  }
  TM_TRY(extensions(view));
  return user;
}

Result<ContextStanza> parse_context(const View& view) {
  ContextStanza context;
  TM_TRY_ASSIGN(context.cluster, text_of(view, "/cluster"));
  TM_TRY_ASSIGN(context.user, text_of(view, "/user"));
  TM_TRY_ASSIGN(context.ns, text_of(view, "/namespace"));
  TM_TRY(extensions(view));
  return context;
}

// One of the three lists: entries {name, <member>: stanza}; K7 for repeated names.
template <class Stanza>
Result<std::map<std::string, Stanza>> named(const View& root, const std::string& list_name,
                                            const std::string& member, std::string_view go_type,
                                            Result<Stanza> (*parse)(const View&)) {
  std::map<std::string, Stanza> result;
  TM_TRY_ASSIGN(const std::vector<View> entries, entries_of(root, "/" + list_name));
  const Value nothing = Value::object();
  for (const View& entry : entries) {
    TM_TRY_ASSIGN(const std::string name, text_of(entry, "/name"));
    TM_TRY_ASSIGN(const bool present, has_object(entry, "/" + member));
    Stanza stanza;
    if (present) {
      TM_TRY_ASSIGN(const View body, entry.get_object("/" + member));
      TM_TRY_ASSIGN(stanza, parse(body));
    }
    if (!result.emplace(name, std::move(stanza)).second) {
      return make_error(
          Kind::config,
          fmt::format("{}: error converting *[]Named{} into *map[string]*api.{}: duplicate name {} in list",
                      root.source(), go_type, go_type, quote(name)));
    }
  }
  return result;
}

Result<Stanzas> decode(const Value& document, const std::string& source) {
  const View root(document, source);
  TM_TRY(check_header(root));
  Stanzas stanzas;
  TM_TRY_ASSIGN(stanzas.current_context, text_of(root, "/current-context"));
  TM_TRY_ASSIGN(stanzas.clusters,
                named<ClusterStanza>(root, "clusters", "cluster", "Cluster", parse_cluster));
  TM_TRY_ASSIGN(stanzas.users, named<UserStanza>(root, "users", "user", "AuthInfo", parse_user));
  TM_TRY_ASSIGN(stanzas.contexts,
                named<ContextStanza>(root, "contexts", "context", "Context", parse_context));
  TM_TRY(extensions(root));
  TM_TRY_ASSIGN(const bool preferences, has_object(root, "/preferences"));  // K9: typed, else unused
  if (preferences) {
    TM_TRY(flag_of(root, "/preferences/colors"));
    TM_TRY_ASSIGN(const View view, root.get_object("/preferences"));
    TM_TRY(extensions(view));
  }
  return stanzas;
}

// The first of several YAML documents; client-go never looks at the others. A line that begins with --- or
// ... is a document's border wherever it stands.
std::string_view first_document(std::string_view text) {
  bool started = false;
  for (std::size_t line = 0; line < text.size();) {
    const std::size_t end = std::min(text.find('\n', line), text.size());
    const std::string_view content = trim(text.substr(line, end - line));
    const std::string_view head = text.substr(line, 3);
    const bool alone = content.size() == 3 || (line + 3 < text.size() && text[line + 3] == ' ');
    const bool border = alone && (head == "---" || head == "...");
    if (border && started) return text.substr(0, line);
    if (!content.empty() && content.front() != '#' && content.front() != '%' && head != "...") started = true;
    line = end + 1;
  }
  return text;
}

}  // namespace

Result<Stanzas> parse_stanzas(const std::string& text, const std::string& source) {
  if (text.empty()) return Stanzas{};
  Result<Value> document = json::parse_yaml(first_document(text), source);
  Result<Stanzas> stanzas = document ? decode(*document, source) : Result<Stanzas>(document.take_error());
  if (stanzas) return stanzas;
  Error error = stanzas.take_error();
  error.kind = Kind::config;  // whatever is wrong with the text, the user's configuration is
  return error;
}

}  // namespace truenas::kube
