// The Authorization header out of a token, a token file, a name and password, or an exec plugin (A1-A5), and
// the impersonation headers (A7).
#include <fmt/format.h>

#include <mutex>

#include "lib/base/text.h"
#include "lib/kube/exec_credential.h"
#include "lib/kube/kubeconfig_internal.h"

namespace truenas::kube {
namespace {

constexpr Seconds k_reread_after{50};  // A2: 60 s less 10 s of leeway

// What HTTP lets a header's value contain. A line end would start a header of its own.
bool header_value(std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && c != '\t') || byte == 0x7f) return false;
  }
  return true;
}

class Fixed : public CredentialSource {
 public:
  explicit Fixed(Result<Secret> header) : header_(std::move(header)) {}
  Result<Secret> authorization() override { return header_; }

 private:
  const Result<Secret> header_;
};

// A2: read again when older than 50 s or refused; a failed reading keeps what was read before.
class TokenFile : public CredentialSource {
 public:
  TokenFile(std::string path, Secret fallback, Clock& clock)
      : path_(std::move(path)), token_(std::move(fallback)), clock_(clock) {}

  Result<Secret> authorization() override {
    const std::scoped_lock lock(mutex_);
    if (!read_at_ || clock_.steady() - *read_at_ >= k_reread_after) {
      const Result<void> read = read_token();
      if (!read && token_.empty()) return read.error().in("getting credentials");
    }
    return bearer(token_.reveal());
  }
  void refused() override {
    const std::scoped_lock lock(mutex_);
    read_at_.reset();
  }

 private:
  Result<void> read_token() {
    const Result<std::string> text = process_environment().read_file(path_);
    if (!text) {
      return make_error(text.error().kind == Kind::interrupted ? Kind::interrupted : Kind::auth,
                        fmt::format("failed to read token file {}: {}", quote(path_), text.error().what));
    }
    const std::string_view token = trim(*text);
    if (token.empty()) {
      return make_error(Kind::auth, fmt::format("read empty token from file {}", quote(path_)));
    }
    token_ = Secret(std::string(token));
    read_at_ = clock_.steady();
    return {};
  }

  const std::string path_;
  Secret token_;
  Clock& clock_;
  std::optional<Milliseconds> read_at_;
  std::mutex mutex_;
};

// Go's net/http token characters, without '%', which is the escape itself (A7).
bool header_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("!#$&'*+-.^_`|~").find(c) != std::string_view::npos;
}

std::string escape_header_key(std::string_view key) {
  std::string result;
  for (const char c : key) {
    if (header_name_character(c)) {
      result += c;
    } else {
      result += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return result;
}

}  // namespace

Result<Secret> bearer(const std::string& token) {
  if (!header_value(token)) {
    return make_error(
        Kind::auth, "getting credentials: the token has characters that cannot be sent, such as a line end");
  }
  return Secret("Bearer " + token);
}

Result<std::vector<http::Header>> impersonation_headers(const ClientConfig& config) {
  std::vector<http::Header> headers;
  if (config.impersonate_user.empty()) return headers;
  headers.emplace_back("Impersonate-User", config.impersonate_user);
  if (!config.impersonate_uid.empty()) headers.emplace_back("Impersonate-Uid", config.impersonate_uid);
  for (const std::string& group : config.impersonate_groups) headers.emplace_back("Impersonate-Group", group);
  for (const auto& [key, values] : config.impersonate_extra) {
    for (const std::string& value : values) {
      headers.emplace_back("Impersonate-Extra-" + escape_header_key(key), value);
    }
  }
  for (const auto& [name, value] : headers) {
    if (!header_value(value)) {
      return make_error(Kind::config, fmt::format("impersonation: the value of {} has characters that cannot "
                                                  "be sent: {}",
                                                  name, quote(value)));
    }
  }
  return headers;
}

std::unique_ptr<CredentialSource> make_credentials(const ClientConfig& config, Clock& clock) {
  if (!config.token_file.empty()) {
    return std::make_unique<TokenFile>(config.token_file, config.token, clock);
  }
  if (!config.token.empty()) return std::make_unique<Fixed>(bearer(config.token.reveal()));
  if (!config.username.empty()) {
    return std::make_unique<Fixed>(
        Secret("Basic " + base64_encode(config.username + ":" + config.password.reveal())));
  }
  if (config.exec) return std::make_unique<ExecCredentialSource>(*config.exec, clock);
  return std::make_unique<Fixed>(Secret());
}

}  // namespace truenas::kube
