// Decoding one kubeconfig file as Go's JSON decoder would: unknown fields are ignored, known ones must have
// their type, null counts as absent (K6-K9).
#include <fmt/format.h>

#include "lib/base/text.h"
#include "lib/json/view.h"
#include "lib/kube/kubeconfig_internal.h"

namespace truenas::kube {
namespace {

using json::Value;
using json::View;

constexpr std::string_view k_exec_extension = "client.authentication.k8s.io/exec";

std::string place_of(const View& view, std::string_view pointer = "") {
  return fmt::format("{}: {}{}", view.source(), view.place(), pointer);
}

Error wrong_type(const View& view, std::string_view pointer, std::string_view expected) {
  return make_error(Kind::config, fmt::format("{}: expected {}", place_of(view, pointer), expected));
}

// The members of a stanza; a null one has none.
Result<void> expect_object(const View& view) {
  if (view.value().is_object() || view.value().is_null()) return {};
  return wrong_type(view, "", "object");
}

// True when `pointer` is there and not null; then it must be an object.
Result<bool> has_object(const View& view, std::string_view pointer) {
  const Value* value = view.value().at(pointer);
  if (value == nullptr || value->is_null()) return false;
  if (!value->is_object()) return wrong_type(view, pointer, "object");
  return true;
}

Result<std::vector<View>> list(const View& view, std::string_view pointer) {
  const Value* value = view.value().at(pointer);
  if (value == nullptr || value->is_null()) return std::vector<View>{};
  TM_TRY_ASSIGN(std::vector<View> items, view.get_items(pointer));
  for (const View& item : items) TM_TRY(expect_object(item));
  return items;
}

Result<std::vector<std::string>> strings(const View& view, std::string_view pointer) {
  std::vector<std::string> result;
  const Value* value = view.value().at(pointer);
  if (value == nullptr || value->is_null()) return result;
  if (!value->is_array()) return wrong_type(view, pointer, "array of strings");
  for (const Value& item : value->items()) {
    if (!item.is_string() && !item.is_null()) return wrong_type(view, pointer, "array of strings");
    result.push_back(item.text());
  }
  return result;
}

// K8: standard base64, line ends tolerated.
Result<std::string> bytes(const View& view, std::string_view pointer) {
  TM_TRY_ASSIGN(const std::string encoded, view.find_string(pointer));
  const std::optional<std::string> decoded = base64_decode(encoded);
  if (!decoded) return make_error(Kind::config, place_of(view, pointer) + ": illegal base64 data");
  return *decoded;
}

Result<void> check_header(const View& root) {
  TM_TRY(expect_object(root));
  TM_TRY_ASSIGN(const std::string kind, root.find_string("/kind"));
  TM_TRY_ASSIGN(const std::string version, root.find_string("/apiVersion"));
  if ((kind.empty() || kind == "Config") && (version.empty() || version == "v1")) return {};
  return make_error(Kind::config, fmt::format("{}: no kind {} is registered for version {}", root.source(),
                                              quote(kind.empty() ? "Config" : kind),
                                              quote(version.empty() ? "v1" : version)));
}

// Extensions are opaque, but their names must not repeat (K7). Returns the exec plugins' one.
Result<Value> extensions(const View& view) {
  TM_TRY_ASSIGN(const std::vector<View> items, list(view, "/extensions"));
  std::map<std::string, Value> seen;
  for (const View& item : items) {
    TM_TRY_ASSIGN(const std::string name, item.find_string("/name"));
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
  TM_TRY_ASSIGN(cluster.server, view.find_string("/server"));
  TM_TRY_ASSIGN(cluster.tls_server_name, view.find_string("/tls-server-name"));
  TM_TRY_ASSIGN(cluster.insecure_skip_tls_verify, view.find_boolean("/insecure-skip-tls-verify"));
  TM_TRY_ASSIGN(cluster.certificate_authority, view.find_string("/certificate-authority"));
  TM_TRY_ASSIGN(cluster.certificate_authority_data, bytes(view, "/certificate-authority-data"));
  TM_TRY_ASSIGN(cluster.proxy_url, view.find_string("/proxy-url"));
  TM_TRY_ASSIGN(cluster.disable_compression, view.find_boolean("/disable-compression"));
  TM_TRY_ASSIGN(cluster.exec_config, extensions(view));
  return cluster;
}

Result<ExecPlugin> parse_exec(const View& view) {
  ExecPlugin plugin;
  TM_TRY_ASSIGN(plugin.command, view.find_string("/command"));
  TM_TRY_ASSIGN(plugin.args, strings(view, "/args"));
  TM_TRY_ASSIGN(plugin.api_version, view.find_string("/apiVersion"));
  TM_TRY_ASSIGN(plugin.install_hint, view.find_string("/installHint"));
  TM_TRY_ASSIGN(plugin.provide_cluster_info, view.find_boolean("/provideClusterInfo"));
  TM_TRY_ASSIGN(plugin.interactive_mode, view.find_string("/interactiveMode"));
  if (plugin.interactive_mode.empty() && (plugin.api_version == "client.authentication.k8s.io/v1beta1" ||
                                          plugin.api_version == "client.authentication.k8s.io/v1alpha1")) {
    plugin.interactive_mode = "IfAvailable";
  }
  TM_TRY_ASSIGN(const std::vector<View> variables, list(view, "/env"));
  for (const View& variable : variables) {
    TM_TRY_ASSIGN(std::string name, variable.find_string("/name"));
    TM_TRY_ASSIGN(std::string value, variable.find_string("/value"));
    plugin.env.emplace_back(std::move(name), std::move(value));
  }
  return plugin;
}

Result<void> parse_impersonation(const View& view, UserStanza& user) {
  TM_TRY_ASSIGN(user.impersonate, view.find_string("/as"));
  TM_TRY_ASSIGN(user.impersonate_uid, view.find_string("/as-uid"));
  TM_TRY_ASSIGN(user.impersonate_groups, strings(view, "/as-groups"));
  TM_TRY_ASSIGN(const bool extra, has_object(view, "/as-user-extra"));
  if (!extra) return {};
  TM_TRY_ASSIGN(const View map, view.get_object("/as-user-extra"));
  for (const auto& [key, value] : map.value().members()) {
    TM_TRY_ASSIGN(user.impersonate_extra[key], strings(map, "/" + json::pointer_token(key)));
  }
  return {};
}

Result<UserStanza> parse_user(const View& view) {
  UserStanza user;
  TM_TRY_ASSIGN(user.client_certificate, view.find_string("/client-certificate"));
  TM_TRY_ASSIGN(user.client_certificate_data, bytes(view, "/client-certificate-data"));
  TM_TRY_ASSIGN(user.client_key, view.find_string("/client-key"));
  TM_TRY_ASSIGN(std::string key_data, bytes(view, "/client-key-data"));
  user.client_key_data = Secret(std::move(key_data));
  TM_TRY_ASSIGN(std::string token, view.find_string("/token"));
  user.token = Secret(std::move(token));
  TM_TRY_ASSIGN(user.token_file, view.find_string("/tokenFile"));
  TM_TRY_ASSIGN(user.username, view.find_string("/username"));
  TM_TRY_ASSIGN(std::string password, view.find_string("/password"));
  user.password = Secret(std::move(password));
  TM_TRY(parse_impersonation(view, user));
  TM_TRY_ASSIGN(const bool provider, has_object(view, "/auth-provider"));
  if (provider) {
    TM_TRY_ASSIGN(user.auth_provider, view.find_string("/auth-provider/name"));
    TM_TRY(view.find_strings("/auth-provider/config"));
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
  TM_TRY_ASSIGN(context.cluster, view.find_string("/cluster"));
  TM_TRY_ASSIGN(context.user, view.find_string("/user"));
  TM_TRY_ASSIGN(context.ns, view.find_string("/namespace"));
  TM_TRY(extensions(view));
  return context;
}

// One of the three lists: entries {name, <member>: stanza}; K7 for repeated names.
template <class Stanza>
Result<std::map<std::string, Stanza>> named(const View& root, const std::string& list_name,
                                            const std::string& member, std::string_view go_type,
                                            Result<Stanza> (*parse)(const View&)) {
  std::map<std::string, Stanza> result;
  TM_TRY_ASSIGN(const std::vector<View> entries, list(root, "/" + list_name));
  const Value nothing = Value::object();
  for (const View& entry : entries) {
    TM_TRY_ASSIGN(const std::string name, entry.find_string("/name"));
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
  TM_TRY_ASSIGN(stanzas.current_context, root.find_string("/current-context"));
  TM_TRY_ASSIGN(stanzas.clusters,
                named<ClusterStanza>(root, "clusters", "cluster", "Cluster", parse_cluster));
  TM_TRY_ASSIGN(stanzas.users, named<UserStanza>(root, "users", "user", "AuthInfo", parse_user));
  TM_TRY_ASSIGN(stanzas.contexts,
                named<ContextStanza>(root, "contexts", "context", "Context", parse_context));
  TM_TRY(extensions(root));
  TM_TRY_ASSIGN(const bool preferences, has_object(root, "/preferences"));  // K9: typed, else unused
  if (preferences) {
    TM_TRY(root.find_boolean("/preferences/colors"));
    TM_TRY_ASSIGN(const View view, root.get_object("/preferences"));
    TM_TRY(extensions(view));
  }
  return stanzas;
}

}  // namespace

Result<Stanzas> parse_stanzas(const std::string& text, const std::string& source) {
  if (text.empty()) return Stanzas{};
  Result<Value> document = json::parse_yaml(text, source);
  Result<Stanzas> stanzas = document ? decode(*document, source) : Result<Stanzas>(document.take_error());
  if (stanzas) return stanzas;
  Error error = stanzas.take_error();
  error.kind = Kind::config;  // whatever is wrong with the text, the user's configuration is
  return error;
}

}  // namespace truenas::kube
