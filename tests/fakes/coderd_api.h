#pragma once
// The stand-in's answers to requests, in the shapes of Coder's API. Private to coderd.

#include "tests/fakes/coderd.h"

namespace truenas::fakes {

class CoderdApi {
 public:
  explicit CoderdApi(Coderd& coder) : coder_(coder) {}
  http::Response answer(const http::Request& request);

 private:
  http::Response list(const std::string& query);
  http::Response workspace(const std::vector<std::string>& path, const http::Request& request,
                           const CoderdUser& user);
  http::Response create_build(CoderdWorkspace& workspace, const http::Request& request,
                              const CoderdUser& user);
  http::Response build(const std::vector<std::string>& path);
  http::Response version(const std::vector<std::string>& path);
  http::Response file(const std::string& id);
  http::Response prebuilds(const http::Request& request, const CoderdUser& user);
  json::Value show(const CoderdBuild& build) const;
  json::Value show(const CoderdWorkspace& workspace) const;
  json::Value show_state(const CoderdBuild& build) const;
  bool within_limit(const std::string& counter, int limit);

  Coderd& coder_;
};

// A ustar archive of one or more files; names over 100 bytes as pax (Go's archive/tar does the same).
std::string tar_of(const std::vector<std::pair<std::string, std::string>>& files);

}  // namespace truenas::fakes
