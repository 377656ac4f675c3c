#pragma once
// Credentials from an exec plugin (E1-E9): what it is told, what it answers, and how long the answer is used.
// It must not print anything a plugin wrote to stdout: that is a secret.

#include <chrono>
#include <mutex>
#include <optional>
#include <string>

#include "lib/base/clock.h"
#include "lib/kube/kubeconfig.h"
#include "lib/kube/session.h"

namespace truenas::kube {

struct ExecCredential {
  Secret token;                 // may be empty when there is a certificate
  std::string certificate_pem;  // "" when there is only a token
  Secret key_pem;
  std::optional<std::chrono::microseconds> expires;  // wall clock; nullopt: until refused
};

// The value of KUBERNETES_EXEC_INFO (E2, E3).
std::string exec_info(const ExecPlugin& plugin, bool interactive);
// E4: whether the plugin may use stdin. Kind::config when it must and cannot.
Result<bool> exec_interactive(const ExecPlugin& plugin);
// What the plugin printed (E5). Kind::format; no part of the text appears in the error.
Result<ExecCredential> parse_exec_credential(const std::string& output, const ExecPlugin& plugin);
// Runs the plugin once (E2, E6, E9). Kind::auth, or interrupted.
Result<ExecCredential> run_exec_plugin(const ExecPlugin& plugin);
// Text for a terminal: letters, digits and white space stay, control characters become "U+001B".
std::string clean_hint(std::string_view text);

// E7: runs the plugin when nothing is cached, what is cached has expired, or the server refused it; one run
// at a time. Errors begin with "getting credentials: ".
class ExecCredentialSource : public CredentialSource {
 public:
  ExecCredentialSource(ExecPlugin plugin, Clock& clock) : plugin_(std::move(plugin)), clock_(clock) {}
  Result<Secret> authorization() override;
  void refused() override;
  Result<ExecCredential> credential();

 private:
  const ExecPlugin plugin_;
  Clock& clock_;
  std::mutex mutex_;
  std::optional<ExecCredential> cached_;
};

}  // namespace truenas::kube
