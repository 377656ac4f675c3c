#include "tests/unit/kube/kubectl.h"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>

#include "lib/base/text.h"
#include "lib/kube/child_process.h"

namespace truenas::kube::test {
namespace {

using json::Value;

std::string path_variable() {
  const char* path = std::getenv("PATH");
  return path == nullptr ? "" : path;
}

std::string shell_quoted(const std::string& text) {
  std::string result = "'";
  for (const char c : text) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return result + "'";
}

// kubectl's client-go says so when the configuration itself was fine.
bool about_reaching(const std::string& errors) {
  if (contains(errors, "unsupported protocol scheme")) return false;
  for (const char* sign : {"was refused", "Unable to connect", "Please enter Username", "getting credentials",
                           "error reading input for", "unexpected EOF", "proxyconnect", "EOF"}) {
    if (contains(errors, sign)) return true;
  }
  return false;
}

void set_text(Value& object, std::string_view key, const std::string& text) {
  if (!text.empty()) object.set(key, text);
}

std::string encoded(const std::string& bytes) {
  return bytes.empty() ? "" : base64_encode(bytes);
}

Value strings(const std::vector<std::string>& list) {
  Value result = Value::array();
  for (const std::string& text : list) result.push_back(text);
  return result;
}

// `config view` leaves paths of token files and commands as they are written; fixtures pin down what they are
// relative to.
std::string last_element(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

Value exec_of(const ExecPlugin& plugin) {
  Value exec = Value::object();
  set_text(exec, "command", last_element(plugin.command));
  set_text(exec, "apiVersion", plugin.api_version);
  set_text(exec, "interactiveMode", plugin.interactive_mode);
  set_text(exec, "installHint", plugin.install_hint);
  exec.set("provideClusterInfo", plugin.provide_cluster_info);
  if (!plugin.args.empty()) exec.set("args", strings(plugin.args));
  for (const auto& [name, value] : plugin.env) {
    if (exec.find("env") == nullptr) exec.set("env", Value::array());
    exec.find("env")->push_back(Value::object({{"name", name}, {"value", value}}));
  }
  return exec;
}

void copy_text(const Value& from, std::string_view pointer, std::string_view key, Value& to) {
  set_text(to, key, from.text_at(pointer));
}

}  // namespace

KubectlPresence find_kubectl(const std::string& what, std::size_t count) {
  KubectlPresence presence;
  presence.present = find_executable("kubectl", path_variable()).has_value();
  const char* ci = std::getenv("CI");
  presence.must_be = ci != nullptr && std::string(ci) == "true";
  if (!presence.present) {
    std::cout << "SKIPPED: kubectl not found: " << what << " (" << count << " cases)\n";
  }
  return presence;
}

KubectlAnswer run_kubectl(const std::string& directory, const std::map<std::string, std::string>& variables,
                          const std::vector<std::string>& arguments) {
  ChildProgram program;
  program.path = "/bin/sh";
  const std::string errors =
      (std::filesystem::temp_directory_path() / fmt::format("kubectl-errors-{}", ::getpid())).string();
  std::string script = "cd " + shell_quoted(directory) + " && exec kubectl";
  for (const std::string& argument : arguments) script += " " + shell_quoted(argument);
  program.arguments = {"sh", "-c", script + " 2>" + shell_quoted(errors)};
  for (const auto& [name, value] : variables) program.environment.push_back(name + "=" + value);
  program.environment.push_back("PATH=" + path_variable());
  const Result<ChildOutcome> outcome = run_child(program);
  KubectlAnswer answer;
  answer.exit_code = outcome ? outcome->exit_code : -1;
  answer.output = outcome ? outcome->output : "";
  const Result<std::string> text = process_environment().read_file(errors);
  answer.errors = text ? *text : outcome.error().what;
  std::filesystem::remove(errors);
  return answer;
}

std::optional<Value> kubectl_view(const KubeconfigCase& entry, std::string& errors) {
  std::vector<std::string> arguments = {"config", "view", "--minify", "--raw", "--flatten", "-o", "json"};
  if (!entry.flags.kubeconfig.value_or("").empty()) {
    // --kubeconfig alone switches merging off, and with it the resolution of paths.
    arguments.insert(arguments.end(), {"--merge=true", "--kubeconfig=" + *entry.flags.kubeconfig});
  }
  if (entry.flags.context) arguments.push_back("--context=" + *entry.flags.context);
  const KubectlAnswer answer = run_kubectl(entry.directory, entry.variables, arguments);
  errors = answer.errors;
  if (answer.exit_code != 0) return std::nullopt;
  Result<Value> view = json::parse(answer.output, "kubectl config view");
  if (!view) return std::nullopt;
  return std::move(*view);
}

bool kubectl_resolves(const KubeconfigCase& entry, std::string& errors) {
  std::vector<std::string> arguments = entry.arguments;
  arguments.insert(arguments.end(), {"get", "--raw=/version"});
  const KubectlAnswer answer = run_kubectl(entry.directory, entry.variables, arguments);
  errors = answer.errors + answer.output;
  if (answer.exit_code == 0) return true;
  // Without a server kubectl goes to its built-in one; that is no resolution.
  if (contains(errors, "server localhost:8080 was refused")) return false;
  return about_reaching(errors);
}

Value view_of(const ClientConfig& config) {
  Value view = Value::object();
  set_text(view, "server", config.server);
  set_text(view, "ca", encoded(config.endpoint.ca_pem));
  if (config.endpoint.insecure_skip_verify) view.set("insecure", true);
  set_text(view, "tls-server-name", config.endpoint.tls_server_name);
  set_text(view, "proxy-url", config.endpoint.proxy);
  if (!config.endpoint.compression) view.set("disable-compression", true);
  set_text(view, "namespace", config.ns == "default" ? "" : config.ns);
  set_text(view, "client-certificate", encoded(config.endpoint.certificate_pem));
  set_text(view, "client-key", encoded(config.endpoint.key_pem.reveal()));
  set_text(view, "token", config.token.reveal());
  set_text(view, "token-file", last_element(config.token_file));
  set_text(view, "username", config.username);
  set_text(view, "password", config.password.reveal());
  if (config.exec) view.set("exec", exec_of(*config.exec));
  set_text(view, "as", config.impersonate_user);
  set_text(view, "as-uid", config.impersonate_uid);
  if (!config.impersonate_groups.empty()) view.set("as-groups", strings(config.impersonate_groups));
  for (const auto& [key, values] : config.impersonate_extra) {
    view.set_at("/as-user-extra/" + json::pointer_token(key), strings(values));
  }
  return view;
}

Value comparable(const Value& view) {
  Value result = Value::object();
  const Value nothing;
  const Value* cluster = view.at("/clusters/0/cluster");
  const Value* user = view.at("/users/0/user");
  if (cluster == nullptr) cluster = &nothing;
  if (user == nullptr) user = &nothing;
  copy_text(*cluster, "/server", "server", result);
  const std::string& ns = view.text_at("/contexts/0/context/namespace");
  set_text(result, "namespace", ns == "default" ? "" : ns);
  for (const char* name : {"proxy-url"}) copy_text(*cluster, std::string("/") + name, name, result);
  if (cluster->boolean_at("/disable-compression")) result.set("disable-compression", true);
  copy_text(*user, "/as", "as", result);
  copy_text(*user, "/as-uid", "as-uid", result);
  if (const Value* groups = user->at("/as-groups")) result.set("as-groups", *groups);
  if (const Value* extra = user->at("/as-user-extra")) result.set("as-user-extra", *extra);
  if (!lower(result.text_at("/server")).starts_with("https://")) return result;  // R6
  copy_text(*cluster, "/certificate-authority-data", "ca", result);
  copy_text(*cluster, "/tls-server-name", "tls-server-name", result);
  if (cluster->boolean_at("/insecure-skip-tls-verify")) result.set("insecure", true);
  const bool certificate = !user->text_at("/client-certificate-data").empty();
  if (certificate) {
    copy_text(*user, "/client-certificate-data", "client-certificate", result);
    copy_text(*user, "/client-key-data", "client-key", result);
  }
  copy_text(*user, "/token", "token", result);
  set_text(result, "token-file", last_element(user->text_at("/tokenFile")));
  copy_text(*user, "/username", "username", result);
  copy_text(*user, "/password", "password", result);
  const bool authenticated = certificate || result.find("token") != nullptr ||
                             result.find("token-file") != nullptr || result.find("username") != nullptr;
  const Value* exec = user->at("/exec");
  if (exec == nullptr || authenticated) return result;  // A5
  Value plugin = *exec;
  plugin.set("command", last_element(exec->text_at("/command")));
  for (const char* name : {"args", "env"}) {
    const Value* list = plugin.find(name);
    if (list != nullptr && list->items().empty()) plugin.remove(name);
  }
  result.set("exec", std::move(plugin));
  return result;
}

}  // namespace truenas::kube::test
