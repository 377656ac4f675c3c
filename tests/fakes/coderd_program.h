#pragma once
// The stand-in coderd on a loopback port, driven by lines of text: what fake_api_server --coder and
// fake_coderd have in common. Commands:
//
//   coder version TEMPLATE FILE   (a new active version with that text)      VERSION <id>
//   coder workspace OWNER NAME NAMESPACE   (of the first template, with a home of 1 GiB and no build yet)
//   WORKSPACE <id> coder build WORKSPACE_ID start|stop|delete [VERSION_ID]                  BUILD <id> | BUSY
//   coder hold WORKSPACE_ID | coder release WORKSPACE_ID                     (between plan and apply)
//   coder autostart WORKSPACE_ID SCHEDULE                                    (with blanks in it)
//   coder role ROLE                                                          (of the token's user)
//   coder state                                                              CODER {"workspaces":[…]}

#include <functional>
#include <string>
#include <vector>

#include "tests/fakes/coderd.h"
#include "tests/fakes/http_server.h"

namespace truenas::fakes {

class CoderdProgram {
 public:
  CoderdProgram(Coderd& coder, std::function<void(const std::string&)> say);
  int port() const { return http_.port(); }
  // True if the words were a command for the stand-in.
  bool obey(const std::vector<std::string>& words);

 private:
  void add_version(const std::string& template_name, const std::string& file);
  json::Value state();

  Coderd& coder_;
  std::function<void(const std::string&)> say_;
  HttpServer http_;
};

}  // namespace truenas::fakes
