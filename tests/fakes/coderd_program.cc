#include "tests/fakes/coderd_program.h"

#include <fmt/format.h>

#include <fstream>
#include <set>
#include <sstream>

#include "lib/base/text.h"

namespace truenas::fakes {

CoderdProgram::CoderdProgram(Coderd& coder, std::function<void(const std::string&)> say)
    : coder_(coder),
      say_(std::move(say)),
      http_({[this](const http::Request& request) { return coder_.handle(request); },
             [](const http::Request&, const std::vector<std::string>&) {
               http::Response refusal;
               refusal.status = 400;
               return http::Upgrade(std::move(refusal));
             }}) {}

void CoderdProgram::add_version(const std::string& template_name, const std::string& file) {
  std::ifstream input(file);
  std::stringstream text;
  text << input.rdbuf();
  say_(input ? "VERSION " + coder_.add_version(template_name, text.str()) : "ERROR cannot read " + file);
}

json::Value CoderdProgram::state() {
  json::Value workspaces = json::Value::array();
  std::set<std::string> seen;
  for (const std::string& id : coder_.builds()) {
    const CoderdWorkspace workspace = coder_.find_workspace(coder_.find_build(id).workspace_id);
    if (!seen.insert(workspace.id).second) continue;
    json::Value builds = json::Value::array();
    for (const std::string& one : workspace.builds) {
      const CoderdBuild build = coder_.find_build(one);
      json::Value actions = json::Value::array();
      for (const std::string& action : build.actions) actions.push_back(action);
      builds.push_back(json::Value::object({{"id", build.id},
                                            {"transition", build.transition},
                                            {"version", build.version_id},
                                            {"status", build.job_status},
                                            {"error", build.error},
                                            {"actions", actions}}));
    }
    workspaces.push_back(json::Value::object({{"id", workspace.id},
                                              {"owner", workspace.owner},
                                              {"name", workspace.name},
                                              {"autostart", workspace.autostart_schedule},
                                              {"builds", builds}}));
  }
  return json::Value::object({{"workspaces", workspaces},
                              {"requests", static_cast<std::int64_t>(coder_.requests())},
                              {"prebuildsPaused", coder_.prebuilds_paused}});
}

bool CoderdProgram::obey(const std::vector<std::string>& words) {
  if (words.size() < 2 || words[0] != "coder") return false;
  if (words[1] == "autostart" && words.size() < 4) return true;
  const auto word = [&](std::size_t i) { return i < words.size() ? words[i] : std::string(); };
  if (word(1) == "version") add_version(word(2), word(3));
  if (word(1) == "workspace") {
    CoderdWorkspace workspace;
    workspace.owner = word(2), workspace.name = word(3), workspace.ns = word(4);
    workspace.template_name = "kubernetes", workspace.parameters = {{"home_disk_size", "1"}};
    say_("WORKSPACE " + coder_.add_workspace(workspace, ""));
  }
  if (word(1) == "build") {
    const auto build = coder_.build(word(2), word(3), word(4));
    say_(build ? "BUILD " + *build : "BUSY");
  }
  if (word(1) == "autostart") {
    const std::string schedule = join(std::vector<std::string>(words.begin() + 3, words.end()), " ");
    coder_.change_workspace(word(2),
                            [&](CoderdWorkspace& workspace) { workspace.autostart_schedule = schedule; });
  }
  if (word(1) == "hold" || word(1) == "release") coder_.hold(word(2), word(1) == "hold");
  if (word(1) == "role") coder_.users.front().roles = {word(2)};
  if (word(1) == "state") say_("CODER " + json::write(state()));
  return true;
}

}  // namespace truenas::fakes
