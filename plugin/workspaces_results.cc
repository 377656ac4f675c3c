#include "plugin/workspaces_results.h"

#include <fmt/format.h>

#include <cstdio>

#include "lib/base/text.h"
#include "lib/engine/confirm.h"
#include "lib/report/plan_report.h"
#include "plugin/console.h"
#include "plugin/exit_code.h"

namespace truenas::plugin {
namespace {

std::string result_of(const HomeRun& home) {
  if (home.error) return fmt::format("{}: {}", kind_name(home.error->kind), home.error->what);
  if (home.outcome) return "done: " + home.outcome->done->summary;
  return home.plan.nothing_to_do() ? "done: " + home.plan.summary : "planned";
}

json::Value document_of(const HomeRun& home) {
  json::Value document = json::Value::object({{"namespace", home.home.ns}, {"claim", home.home.claim}});
  if (!home.home.title.empty()) document.set("workspace", home.home.title);
  const bool done = home.outcome || home.plan.nothing_to_do();
  document.set("result", home.error ? std::string(kind_name(home.error->kind)) : done ? "done" : "planned");
  document.set("text", result_of(home));
  if (!home.warnings.empty()) {
    json::Value warnings = json::Value::array();
    for (const std::string& line : home.warnings) warnings.push_back(line);
    document.set("warnings", std::move(warnings));
  }
  if (home.outcome) {
    document.set("run", engine::to_json(*home.outcome));
  } else {
    document.set("plan", engine::to_json(home.plan));
  }
  return document;
}

// -y does not stand for a phrase.
Result<void> ask_for_phrase(const std::string& phrase, const std::optional<std::string>& confirmed) {
  if (confirmed || !stdin_is_terminal()) return engine::check_phrase(phrase, confirmed);
  const auto answer = ask(fmt::format("Carry out this plan? Only \"{}\" goes on: ", phrase));
  if (answer && trim(*answer) == phrase) return {};
  return make_error(Kind::refused, "not confirmed; nothing was changed");
}

}  // namespace

void show_error(const HomeRun& home) {
  tell(render_error(home.error->in("claim " + home.name())));
}

Result<void> ask_for_all(const HomeRuns& homes, const MigrationFlags& flags, const std::string& phrase,
                         const std::optional<std::string>& confirmed) {
  engine::Plan all;
  for (const HomeRun* home : homes) {
    if (!home->plan.title.empty()) std::fputs((report::render_plan(home->plan) + "\n").c_str(), stderr);
    if (home->error) continue;
    all.items.insert(all.items.end(), home->plan.items.begin(), home->plan.items.end());
  }
  for (const HomeRun* home : homes) {
    if (home->error) show_error(*home);
  }
  if (!phrase.empty() && !all.nothing_to_do()) return ask_for_phrase(phrase, confirmed);
  return engine::confirm(all, {flags.yes, stdin_is_terminal()},
                         [](std::string_view question) { return ask(std::string(question)); });
}

Result<void> print_results(const HomeRuns& homes, const MigrationFlags& flags) {
  if (flags.structured()) {
    json::Value list = json::Value::array();
    for (const HomeRun* home : homes) list.push_back(document_of(*home));
    return print_answer(render_document(json::Value::object({{"homes", std::move(list)}}), flags.format));
  }
  std::string text;
  for (const HomeRun* home : homes)
    text += fmt::format("{}: {}\n", home->name(), printable(result_of(*home)));
  return print_answer(text);
}

int exit_code_of_all(const HomeRuns& homes) {
  std::size_t failed = 0, refused = 0;
  for (const HomeRun* home : homes) {
    if (!home->error) continue;
    ++failed;
    if (home->error->kind == Kind::interrupted) return exit_code_of(Kind::interrupted);
    if (home->error->kind == Kind::refused) ++refused;
  }
  if (failed == 0) return k_exit_done;
  if (homes.size() == 1) return exit_code_of(homes[0]->error->kind);
  return refused == homes.size() ? k_exit_refused : k_exit_stopped;
}

}  // namespace truenas::plugin
