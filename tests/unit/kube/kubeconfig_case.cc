#include "tests/unit/kube/kubeconfig_case.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <sstream>

#include "lib/base/text.h"

namespace truenas::kube::test {
namespace {

using json::Value;

[[noreturn]] void broken(const std::string& what) {
  std::cerr << "broken fixture: " << what << "\n";
  std::abort();
}

std::string replace_all(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

Value substitute(const Value& value, const std::string& directory) {
  if (value.is_string())
    return replace_all(replace_all(value.text(), "${DIR}", directory), "${FIX}", fixtures_directory());
  Value result = value;
  if (value.is_array()) {
    result = Value::array();
    for (const Value& item : value.items()) result.push_back(substitute(item, directory));
  }
  for (const auto& [key, member] : value.members()) {
    result.set(key, substitute(member, directory));
  }
  return result;
}

using Field = std::optional<std::string> ConnectionFlags::*;
const std::map<std::string, Field>& text_flags() {
  static const std::map<std::string, Field> flags = {
      {"kubeconfig", &ConnectionFlags::kubeconfig},
      {"context", &ConnectionFlags::context},
      {"cluster", &ConnectionFlags::cluster},
      {"user", &ConnectionFlags::user},
      {"server", &ConnectionFlags::server},
      {"token", &ConnectionFlags::token},
      {"namespace", &ConnectionFlags::ns},
      {"request-timeout", &ConnectionFlags::request_timeout},
      {"as", &ConnectionFlags::as},
      {"as-uid", &ConnectionFlags::as_uid},
      {"certificate-authority", &ConnectionFlags::certificate_authority},
      {"client-certificate", &ConnectionFlags::client_certificate},
      {"client-key", &ConnectionFlags::client_key},
      {"tls-server-name", &ConnectionFlags::tls_server_name},
      {"username", &ConnectionFlags::username},
      {"password", &ConnectionFlags::password}};
  return flags;
}

void read_flag(KubeconfigCase& entry, const std::string& name, const Value& value) {
  if (name != "kubeconfig" && name != "context") entry.only_files_and_context = false;
  if (const auto found = text_flags().find(name); found != text_flags().end()) {
    entry.flags.*(found->second) = value.text();
    entry.arguments.push_back(fmt::format("--{}={}", name, value.text()));
    return;
  }
  if (name == "as-group" || name == "as-user-extra") {
    auto& list = name == "as-group" ? entry.flags.as_groups : entry.flags.as_user_extra;
    for (const Value& item : value.items()) {
      list.push_back(item.text());
      entry.arguments.push_back(fmt::format("--{}={}", name, item.text()));
    }
    return;
  }
  const bool given = value.boolean_or(false);
  if (name == "insecure-skip-tls-verify") {
    entry.flags.insecure_skip_tls_verify = given;
  } else if (name == "disable-compression") {
    entry.flags.disable_compression = given;
  } else {
    broken("unknown flag " + name);
  }
  entry.arguments.push_back(fmt::format("--{}={}", name, given));
}

KubeconfigCase read_case(const std::string& item, const std::string& directory, const Value& raw) {
  const Value value = substitute(raw, directory);
  KubeconfigCase entry;
  entry.item = item;
  entry.directory = directory;
  entry.name = value.text_at("/name");
  entry.variables["HOME"] = directory;
  for (const auto& [key, member] : value.members()) {
    if (key == "flags") {
      for (const auto& [name, flag] : member.members()) read_flag(entry, name, flag);
    } else if (key == "env") {
      for (const auto& [name, variable] : member.members()) {
        if (variable.is_null()) {
          entry.variables.erase(name);
        } else {
          entry.variables[name] = variable.text();
        }
      }
    } else if (key == "files") {
      for (const auto& [path, content] : member.members()) entry.files[path] = content.text();
    } else if (key == "expect") {
      entry.expected = member;
    } else if (key == "error") {
      entry.error = member.text();
    } else if (key == "kind") {
      entry.kind = member.text();
    } else if (key == "hints") {
      entry.hints = member;
    } else if (key == "kubectl") {
      entry.why_not_kubectl = member.text();
    } else if (key != "name") {
      broken(item + ": unknown key " + key);
    }
  }
  if (entry.name.empty() || entry.expected.is_null() == entry.error.empty()) {
    broken(entry.title() + ": needs a name and exactly one of expect and error");
  }
  return entry;
}

}  // namespace

std::string fixtures_directory() {
  return TM_KUBE_FIXTURES;
}

std::string fixture_file(const std::string& relative_path) {
  std::ifstream stream(fixtures_directory() + "/" + relative_path, std::ios::binary);
  if (!stream) broken("cannot read " + relative_path);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

std::vector<KubeconfigCase> kubeconfig_cases() {
  std::vector<std::string> items;
  for (const auto& folder : std::filesystem::directory_iterator(fixtures_directory())) {
    if (std::filesystem::exists(folder.path() / "case.yaml")) items.push_back(folder.path().filename());
  }
  std::ranges::sort(items);
  std::vector<KubeconfigCase> cases;
  for (const std::string& item : items) {
    const Result<Value> list = json::parse_yaml(fixture_file(item + "/case.yaml"), item);
    if (!list) broken(list.error().what);
    for (const Value& raw : list->items()) {
      cases.push_back(read_case(item, fixtures_directory() + "/" + item, raw));
    }
  }
  return cases;
}

Environment environment_of(const KubeconfigCase& entry) {
  Environment environment = process_environment();
  environment.working_directory = entry.directory;
  environment.stdin_is_terminal = false;
  environment.variable = [variables = entry.variables](const std::string& name) {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
  environment.read_file = [files = entry.files, real = environment.read_file](const std::string& path) {
    const auto found = files.find(path);
    return found == files.end() ? real(path) : Result<std::string>(found->second);
  };
  return environment;
}

}  // namespace truenas::kube::test
