#pragma once
// Where Coder is and with which token: a flag, the environment, or what `coder login` left on this machine.
// Pure over kube::Environment; it opens no connection and never shows the token.

#include <memory>
#include <optional>
#include <string>

#include "lib/coder/server_session.h"
#include "lib/kube/kubeconfig.h"

namespace truenas::coder {

struct ServerLogin {
  std::string url;  // without a trailing slash
  Secret token;
  std::string from;    // "--coder-url and CODER_SESSION_TOKEN", for messages
  bool asked = false;  // by flag or environment: then a Coder that cannot be asked is an error
};

struct LoginSearch {
  std::optional<ServerLogin> login;
  std::string why_none;  // of no login: one clause for the user; "" when nothing speaks of a Coder at all
};

// --coder-url before CODER_URL before the CLI's file `url`; CODER_SESSION_TOKEN before its file `session`,
// which is for the URL in its file `url` only: another server must not get that token. The files lie in
// CODER_CONFIG_DIR, else $XDG_CONFIG_HOME/coderv2, ~/.config/coderv2 or, with `mac`, "~/Library/Application
// Support/coderv2". Kind::usage: a --coder-url that is none. Kind::config: one without a token for it, a URL
// elsewhere that is none, a file that cannot be read.
Result<LoginSearch> find_login(const std::optional<std::string>& coder_url,
                               const kube::Environment& environment, bool mac);
// Whether this program was built for a Mac.
bool runs_on_mac();

// The session over the real transport; SSL_CERT_FILE (a PEM file) replaces the system's roots as it does for
// the coder CLI. Nothing is sent yet.
Result<std::unique_ptr<ServerSession>> open_server(const ServerLogin& login,
                                                   const kube::Environment& environment, int verbosity,
                                                   std::function<void(std::string_view)> log, Clock& clock);

}  // namespace truenas::coder
