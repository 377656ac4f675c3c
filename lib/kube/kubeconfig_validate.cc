// What client-go refuses before it talks to anybody (clientcmd's validation.go): every problem of the chosen
// cluster and user at once.
#include <fmt/format.h>

#include "lib/base/text.h"
#include "lib/kube/kubeconfig_internal.h"

namespace truenas::kube {
namespace {

class Validation {
 public:
  explicit Validation(const Environment& environment) : environment_(environment) {}

  void add(std::string problem) { problems_.push_back(std::move(problem)); }

  // The file's content; its being unreadable is a problem of `name`.
  std::string read(std::string_view what, const std::string& path, const std::string& name) {
    Result<std::string> text = environment_.read_file(absolute_path(environment_.working_directory, path));
    if (text) return std::move(*text);
    if (text.error().kind == Kind::interrupted) interrupted_ = text.error();
    add(fmt::format("unable to read {} {} for {} due to open {}: {}", what, printable(path), printable(name),
                    printable(path), text.error().what));
    return "";
  }

  Result<void> outcome() const {
    if (interrupted_) return *interrupted_;
    if (problems_.empty()) return {};
    if (problems_.size() == 1) {
      return make_error(Kind::config, "invalid configuration: " + problems_.front());
    }
    return make_error(Kind::config, fmt::format("invalid configuration: [{}]", join(problems_, ", ")));
  }

 private:
  const Environment& environment_;
  std::vector<std::string> problems_;
  std::optional<Error> interrupted_;
};

void check_certificate(const Choice& choice, Validation& validation, CertificateFiles& files) {
  const UserStanza& user = choice.user;
  const std::string name = printable(choice.user_name);
  if (user.client_certificate.empty() && user.client_certificate_data.empty()) return;
  if (!user.client_certificate.empty() && !user.client_certificate_data.empty()) {
    validation.add(fmt::format(
        "client-cert-data and client-cert are both specified for {}. client-cert-data will override.", name));
  }
  if (!user.client_key.empty() && !user.client_key_data.empty()) {
    validation.add(fmt::format(
        "client-key-data and client-key are both specified for {}; client-key-data will override", name));
  }
  if (user.client_key.empty() && user.client_key_data.empty()) {
    validation.add(
        fmt::format("client-key-data or client-key must be specified for {} to use the "
                    "clientCert authentication method.",
                    name));
  }
  files.certificate = user.client_certificate_data;
  if (!user.client_certificate.empty()) {
    files.certificate = validation.read("client-cert", user.client_certificate, choice.user_name);
  }
  files.key = user.client_key_data;
  if (!user.client_key.empty()) {
    files.key = Secret(validation.read("client-key", user.client_key, choice.user_name));
  }
}

void check_exec(const Choice& choice, Validation& validation) {
  if (!choice.user.exec) return;
  const ExecPlugin& exec = *choice.user.exec;
  const std::string name = printable(choice.user_name);
  if (choice.user.auth_provider) {
    validation.add("authProvider cannot be provided in combination with an exec plugin for " + name);
  }
  const auto required = [&](bool present, std::string_view what) {
    if (present) return;
    validation.add(fmt::format("{} must be specified for {} to use exec authentication plugin", what, name));
  };
  required(!exec.command.empty(), "command");
  required(!exec.api_version.empty(), "apiVersion");
  for (const auto& [variable, value] : exec.env) required(!variable.empty(), "env variable name");
  required(!exec.interactive_mode.empty(), "interactiveMode");
  if (!exec.interactive_mode.empty() && exec.interactive_mode != "Never" &&
      exec.interactive_mode != "IfAvailable" && exec.interactive_mode != "Always") {
    validation.add(fmt::format("invalid interactiveMode for {}: {}", name, quote(exec.interactive_mode)));
  }
}

void check_user(const Choice& choice, Validation& validation, CertificateFiles& files) {
  const UserStanza& user = choice.user;
  const std::string name = printable(choice.user_name);
  check_certificate(choice, validation, files);
  check_exec(choice, validation);
  if (!user.token.empty() && (!user.username.empty() || !user.password.empty())) {  // A4
    validation.add(fmt::format(
        "more than one authentication method found for {}; found [token basicAuth], only one is allowed",
        name));
  }
  if (user.impersonate.empty() && (!user.impersonate_uid.empty() || !user.impersonate_groups.empty() ||
                                   !user.impersonate_extra.empty())) {  // A7
    validation.add(
        fmt::format("requesting uid, groups or user-extra for {} without impersonating a user", name));
  }
}

// P1. The URL may carry a password, so only its scheme is ever shown.
std::optional<std::string> proxy_problem(const std::string& url) {
  const std::size_t colon = url.find(':');
  const std::string scheme = lower(url.substr(0, colon == std::string::npos ? 0 : colon));
  if (scheme != "http" && scheme != "https" && scheme != "socks5") {
    return fmt::format("unsupported scheme {}, must be http, https, or socks5", quote(scheme));
  }
  if (url.substr(colon, 3) != "://" || url.size() == colon + 3 || url[colon + 3] == '/' ||
      url.find_first_of(" \t\r\n\"<>\\^`{|}") != std::string::npos || printable(url) != url) {
    return "could not parse it as a URL with a host";
  }
  return std::nullopt;
}

void check_cluster(const Choice& choice, Validation& validation, CertificateFiles& files) {
  const ClusterStanza& cluster = choice.cluster;
  const std::string name = printable(choice.cluster_name);
  if (!cluster.proxy_url.empty()) {
    if (const auto problem = proxy_problem(cluster.proxy_url)) {
      validation.add(
          fmt::format("invalid 'proxy-url' for cluster {}: {}", quote(choice.cluster_name), *problem));
    }
  }
  files.authority = cluster.certificate_authority_data;
  if (cluster.certificate_authority.empty()) return;
  if (!cluster.certificate_authority_data.empty()) {
    validation.add(
        fmt::format("certificate-authority-data and certificate-authority are both specified for "
                    "{}. certificate-authority-data will override.",
                    name));
  }
  files.authority =
      validation.read("certificate-authority", cluster.certificate_authority, choice.cluster_name);
}

}  // namespace

Result<CertificateFiles> validate(const Choice& choice, const Environment& environment) {
  Validation validation(environment);
  CertificateFiles files;
  if (choice.context_missing) {
    validation.add("context was not found for specified context: " + printable(choice.context_name));
  }
  check_user(choice, validation, files);
  check_cluster(choice, validation, files);
  TM_TRY(validation.outcome());
  return files;
}

}  // namespace truenas::kube
