// E9: kuberc's credentialPluginPolicy. kubectl enforces it for itself only; a plugin that did not would be
// the way around it.
#include <fmt/format.h>

#include <algorithm>

#include "lib/base/text.h"
#include "lib/json/view.h"
#include "lib/kube/kubeconfig_internal.h"

namespace truenas::kube {
namespace {

struct KubercFile {
  std::string path;
  bool by_request = false;  // named by KUBERC: then every problem is an error
};

std::optional<KubercFile> kuberc_file(const Environment& environment) {
  const std::string from_variable = variable_or_empty(environment, "KUBERC");
  if (from_variable == "off" || variable_or_empty(environment, "KUBECTL_KUBERC") == "false") {
    return std::nullopt;
  }
  if (!from_variable.empty()) return KubercFile{from_variable, true};
  return KubercFile{clean_path(variable_or_empty(environment, "HOME") + "/.kube/kuberc"), false};
}

// The file's documents; a line that begins with --- separates two.
std::vector<std::string> documents(const std::string& text) {
  std::vector<std::string> result(1);
  for (const std::string& line : split(text, '\n')) {
    if (line.starts_with("---")) {
      result.emplace_back();
    } else {
      result.back() += line + "\n";
    }
  }
  std::erase_if(result, [](const std::string& document) { return trim(document).empty(); });
  return result;
}

Error misconfigured(std::string text) {
  return make_error(Kind::config, "kuberc: " + std::move(text));
}

Result<std::vector<std::string>> allowlist(const json::View& root) {
  std::vector<std::string> names;
  TM_TRY_ASSIGN(const std::vector<json::View> entries, root.get_items("/credentialPluginAllowlist"));
  for (const json::View& entry : entries) {
    TM_TRY_ASSIGN(const std::string name, entry.find_string("/name"));
    if (name.empty()) {
      return misconfigured(fmt::format("misconfigured credential plugin allowlist: empty allowlist entry #{}",
                                       names.size() + 1));
    }
    if (clean_path(name) != name) {
      return misconfigured(
          fmt::format("non-normalized file path: {} vs {}", quote(name), quote(clean_path(name))));
    }
    names.push_back(name);
  }
  return names;
}

Result<PluginPolicy> read_policy(const json::View& root) {
  PluginPolicy policy;
  TM_TRY_ASSIGN(const std::string type, root.find_string("/credentialPluginPolicy"));
  const json::Value* list = root.value().find("credentialPluginAllowlist");
  const bool listed = list != nullptr && !list->is_null();
  if (type == "Allowlist") {
    policy.type = PluginPolicy::Type::allowlist;
    if (!listed || list->items().empty()) {
      return misconfigured(fmt::format("credential plugin policy set to \"Allowlist\", but allowlist is {}",
                                       listed ? "empty; use \"DenyAll\" policy instead" : "unspecified"));
    }
    TM_TRY_ASSIGN(policy.allowlist, allowlist(root));
    return policy;
  }
  if (!type.empty() && type != "AllowAll" && type != "DenyAll") {
    return misconfigured("unknown plugin policy: " + quote(type));
  }
  if (listed) {
    return misconfigured(
        fmt::format("misconfigured credential plugin allowlist: plugin policy is {} but allowlist is non-nil",
                    quote(type)));
  }
  if (type == "DenyAll") policy.type = PluginPolicy::Type::deny_all;
  return policy;
}

// The first document that is a Preference, null if there is none.
Result<json::Value> preference(const std::string& text, const std::string& source) {
  const std::vector<std::string> all = documents(text);
  for (const std::string& document : all) {
    Result<json::Value> value = json::parse_yaml(document, source);
    if (!value || value->text_at("/kind") != "Preference") continue;
    const std::string& version = value->text_at("/apiVersion");
    if (version == "kubectl.config.k8s.io/v1beta1") return value;
    if (version == "kubectl.config.k8s.io/v1alpha1") return json::Value();  // it has no policy
  }
  if (all.empty()) return json::Value();
  return make_error(Kind::config, "no valid preferences found in " + source);
}

}  // namespace

Result<void> apply_plugin_policy(const Environment& environment, ExecPlugin& plugin,
                                 std::vector<Notice>& notices) {
  const std::optional<KubercFile> file = kuberc_file(environment);
  if (!file) return {};
  const Result<std::string> text =
      environment.read_file(absolute_path(environment.working_directory, file->path));
  if (!text && text.error().kind == Kind::not_found && !file->by_request) return {};
  const std::string source = printable(file->path);
  Result<json::Value> found = text
                                  ? preference(*text, source)
                                  : Result<json::Value>(make_error(
                                        Kind::config, fmt::format("open {}: {}", source, text.error().what)));
  if (!found) {
    if (file->by_request) return found.take_error().in("kuberc");
    notices.push_back(
        {0, fmt::format("kuberc: no preferences loaded from {}: {}", source, found.error().what)});
    return {};
  }
  if (found->is_null()) return {};
  TM_TRY_ASSIGN(plugin.policy, read_policy(json::View(*found, source)));
  return {};
}

}  // namespace truenas::kube
