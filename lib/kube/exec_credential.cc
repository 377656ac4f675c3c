#include "lib/kube/exec_credential.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "lib/base/text.h"
#include "lib/kube/child_process.h"
#include "lib/kube/kubeconfig_fields.h"
#include "lib/kube/kubeconfig_internal.h"

namespace truenas::kube {
namespace {

using json::Value;

constexpr std::string_view k_info_variable = "KUBERNETES_EXEC_INFO";
constexpr std::string_view k_not_installed =
    "It looks like you are trying to use a client-go credential plugin that is not installed.";
constexpr std::string_view k_documentation =
    "https://kubernetes.io/docs/reference/access-authn-authz/authentication/"
    "#client-go-credential-plugins";

// Go writes an extension with its keys sorted.
Value sorted(const Value& value) {
  if (value.is_array()) {
    Value result = Value::array();
    for (const Value& item : value.items()) result.push_back(sorted(item));
    return result;
  }
  if (!value.is_object()) return value;
  Value::Object members = value.members();
  std::ranges::sort(members, {}, &Value::Member::first);
  Value result = Value::object();
  for (const auto& [key, member] : members) result.set(key, sorted(member));
  return result;
}

// Our environment, then the plugin's, then the info: a later value replaces an earlier one.
std::vector<std::string> child_environment(const ExecPlugin& plugin, bool interactive) {
  std::vector<std::string> result;
  const auto put = [&](const std::string& entry) {
    const std::string name = entry.substr(0, entry.find('=') + 1);
    std::erase_if(result, [&](const std::string& old) { return old.starts_with(name); });
    result.push_back(entry);
  };
  for (char** entry = ::environ; entry != nullptr && *entry != nullptr; ++entry) result.emplace_back(*entry);
  for (const auto& [name, value] : plugin.env) put(name + "=" + value);
  put(fmt::format("{}={}", k_info_variable, exec_info(plugin, interactive)));
  return result;
}

std::string path_variable() {
  const char* value = std::getenv("PATH");
  return value == nullptr ? "" : value;
}

// E9, as client-go's checkAllowlist.
Result<void> check_policy(const ExecPlugin& plugin, const std::string& command, const std::string& resolved) {
  if (plugin.policy.type == PluginPolicy::Type::allow_all) return {};
  if (plugin.policy.type == PluginPolicy::Type::deny_all) {
    return make_error(Kind::auth,
                      fmt::format("plugin {} not allowed: policy set to \"DenyAll\"", quote(command)));
  }
  for (const std::string& entry : plugin.policy.allowlist) {
    if (entry == command || entry == resolved) return {};
    const auto found = find_executable(entry, path_variable());
    if (found && *found == resolved) return {};
  }
  return make_error(
      Kind::auth,
      fmt::format("plugin path {} is not permitted by the credential plugin allowlist", quote(resolved)));
}

// E6.
Error not_installed(const ExecPlugin& plugin, const std::string& command) {
  Error error = make_error(
      Kind::auth, fmt::format("exec: executable {} not found", printable(command)),
      {std::string(k_not_installed), fmt::format("to learn more about this feature: {}", k_documentation)});
  for (const std::string& line : split(clean_hint(plugin.install_hint), '\n')) {
    if (!trim(line).empty()) error.hints.emplace_back(trim(line));
  }
  return error;
}

Result<std::string> outcome_text(const ChildOutcome& outcome, const std::string& command) {
  if (outcome.signal != 0) {
    return make_error(Kind::auth, fmt::format("exec: executable {} was ended by signal {}",
                                              printable(command), outcome.signal));
  }
  if (outcome.exit_code != 0) {
    return make_error(Kind::auth, fmt::format("exec: executable {} failed with exit code {}",
                                              printable(command), outcome.exit_code));
  }
  return outcome.output;
}

Error bad_output(std::string_view why) {
  return make_error(Kind::format, fmt::format("decoding stdout: {}", why));
}

Result<ExecCredential> parse_status(const Value& document) {
  const Value* status = document.find("status");
  if (status == nullptr || status->is_null()) {
    return make_error(Kind::format, "exec plugin didn't return a status field");
  }
  if (!status->is_object()) return bad_output("/status: expected object");
  const json::View view(document, "decoding stdout");
  ExecCredential credential;
  TM_TRY_ASSIGN(std::string token, text_of(view, "/status/token"));
  TM_TRY_ASSIGN(credential.certificate_pem, text_of(view, "/status/clientCertificateData"));
  TM_TRY_ASSIGN(std::string key, text_of(view, "/status/clientKeyData"));
  TM_TRY_ASSIGN(const std::string expires, text_of(view, "/status/expirationTimestamp"));
  credential.token = Secret(std::move(token));
  credential.key_pem = Secret(std::move(key));
  if (!expires.empty()) {
    const auto time = parse_time(expires);
    if (!time) return bad_output("/status/expirationTimestamp: not an RFC 3339 time");
    credential.expires = *time;
  }
  return credential;
}

}  // namespace

std::string clean_hint(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool white = byte >= 0x09 && byte <= 0x0d;
    // U+0080 to U+009F are controls too; in UTF-8 they are C2 80 to C2 9F.
    const bool c1 = byte == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0;
    if (c1) {
      result += fmt::format("U+{:04X}", static_cast<unsigned char>(text[++i]));
    } else if ((byte < 0x20 && !white) || byte == 0x7f) {
      result += fmt::format("U+{:04X}", byte);
    } else {
      result += text[i];
    }
  }
  return result;
}

std::string exec_info(const ExecPlugin& plugin, bool interactive) {
  Value spec = Value::object();
  if (plugin.provide_cluster_info) {
    Value cluster = plugin.cluster_info;
    if (Value* config = cluster.find("config")) *config = sorted(*config);
    spec.set("cluster", std::move(cluster));
  }
  spec.set("interactive", interactive);
  return json::write(Value::object(
      {{"kind", "ExecCredential"}, {"apiVersion", plugin.api_version}, {"spec", std::move(spec)}}));
}

Result<bool> exec_interactive(const ExecPlugin& plugin) {
  if (plugin.interactive_mode == "Never") return false;
  if (plugin.interactive_mode == "IfAvailable") return plugin.stdin_is_terminal;
  if (plugin.stdin_is_terminal) return true;
  return make_error(Kind::auth,
                    "exec plugin cannot support interactive mode: standard input is not a terminal");
}

Result<ExecCredential> parse_exec_credential(const std::string& output, const ExecPlugin& plugin) {
  const Result<Value> document = json::parse_yaml(output, "stdout");  // client-go takes YAML as well
  if (!document || !document->is_object()) return bad_output("neither a JSON nor a YAML object");
  const std::string& kind = document->text_at("/kind");
  const std::string& version = document->text_at("/apiVersion");
  if (kind != "ExecCredential") return bad_output("its kind is not ExecCredential");
  if (version != plugin.api_version) {
    return make_error(
        Kind::format,
        fmt::format("exec plugin is configured to use API version {}, plugin returned version {}",
                    printable(plugin.api_version), quote(version)));
  }
  TM_TRY_ASSIGN(ExecCredential credential, parse_status(*document));
  if (credential.certificate_pem.empty() != credential.key_pem.empty()) {
    return make_error(Kind::format, "exec plugin returned only certificate or key, not both");
  }
  if (credential.token.empty() && credential.certificate_pem.empty()) {
    return make_error(Kind::format, "exec plugin didn't return a token or cert/key pair");
  }
  return credential;
}

Result<ExecCredential> run_exec_plugin(const ExecPlugin& plugin) {
  TM_TRY_ASSIGN(const bool interactive, exec_interactive(plugin));
  const std::string command = clean_path(plugin.command);
  const std::optional<std::string> path = find_executable(command, path_variable());
  TM_TRY(check_policy(plugin, command, path.value_or(command)));
  if (!path) return not_installed(plugin, command);
  ChildProgram program;
  program.path = *path;
  program.arguments = plugin.args;
  program.arguments.insert(program.arguments.begin(), command);
  program.environment = child_environment(plugin, interactive);
  program.inherit_stdin = interactive;
  Result<ChildOutcome> outcome = run_child(program);
  if (!outcome) {
    if (outcome.error().kind == Kind::interrupted) return outcome.take_error();
    if (outcome.error().kind == Kind::not_found) return not_installed(plugin, command);
    return make_error(Kind::auth,
                      fmt::format("exec: executable {}: {}", printable(command), outcome.error().what));
  }
  TM_TRY_ASSIGN(const std::string output, outcome_text(*outcome, command));
  return parse_exec_credential(output, plugin);
}

Result<ExecCredential> ExecCredentialSource::credential() {
  const std::scoped_lock lock(mutex_);
  const bool expired = cached_ && cached_->expires && clock_.wall() > *cached_->expires;
  if (!cached_ || expired) {
    cached_.reset();
    Result<ExecCredential> fresh = run_exec_plugin(plugin_);
    if (!fresh) {
      Error error = fresh.error().in("getting credentials");
      if (error.kind != Kind::interrupted) error.kind = Kind::auth;
      return error;
    }
    cached_ = std::move(*fresh);
  }
  return *cached_;
}

Result<Secret> ExecCredentialSource::authorization() {
  TM_TRY_ASSIGN(const ExecCredential current, credential());
  if (current.token.empty()) return Secret();
  return bearer(current.token.reveal());
}

void ExecCredentialSource::refused() {
  const std::scoped_lock lock(mutex_);
  cached_.reset();
}

}  // namespace truenas::kube
