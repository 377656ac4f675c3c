#include "lib/report/plan_report.h"

#include <fmt/format.h>

#include "lib/base/quantity.h"
#include "lib/base/text.h"

namespace truenas::report {
namespace {

std::string render_step(const engine::Step& step, std::size_t number) {
  std::string text =
      fmt::format("{:>4}. {}{}\n", number, printable(step.title), step.deletes ? "  [deletes]" : "");
  if (!step.reason.empty()) text += fmt::format("      why:  {}\n", printable(step.reason));
  if (!step.undo.empty()) text += fmt::format("      undo: {}\n", printable(step.undo));
  return text;
}

std::string render_wait(const engine::Wait& wait) {
  std::string text = fmt::format("      wait for {}: {}\n", printable(wait.whom), printable(wait.why));
  if (wait.nudge) text += fmt::format("      meanwhile: {}\n", printable(wait.nudge->title));
  return text;
}

std::string render_list(std::string_view title, const std::vector<std::string>& lines) {
  if (lines.empty()) return "";
  std::string text = fmt::format("\n{}:\n", title);
  for (const std::string& line : lines) text += fmt::format("  - {}\n", printable(line));
  return text;
}

}  // namespace

std::string render_plan(const engine::Plan& plan) {
  std::string text = fmt::format("Plan: {}\n", printable(plan.title));
  if (plan.nothing_to_do()) return text + fmt::format("  nothing to do: {}\n", printable(plan.summary));
  text += "\n";
  std::size_t number = 0;
  for (const auto& item : plan.items) {
    if (const auto* step = std::get_if<engine::Step>(&item)) {
      text += render_step(*step, ++number);
    } else {
      text += render_wait(std::get<engine::Wait>(item));
    }
  }
  if (!plan.downtime.empty()) text += fmt::format("\nExpected downtime: {}\n", printable(plan.downtime));
  text += render_list("What you should know", plan.notes);
  text += render_list("What this will not do", plan.not_done);
  std::vector<std::string> needs;
  for (const auto& need : plan.needs) {
    needs.push_back(
        fmt::format("{} (--accept={}{})", need.what, need.id, need.accepted ? ", given" : " is needed"));
  }
  text += render_list("What needs consent of its own", needs);
  if (!plan.summary.empty()) text += fmt::format("\nAt the end: {}\n", printable(plan.summary));
  return text;
}

std::string render_outcome(const engine::Outcome& outcome) {
  if (outcome.done) {
    return fmt::format("done in {}: {}\n", format_elapsed(outcome.elapsed), printable(outcome.done->summary));
  }
  const bool changed = !outcome.acted.empty();
  return fmt::format("{}\n{}\n", printable(engine::changed_so_far(outcome)),
                     changed ? "running the same command again is safe and goes on from here"
                             : "running the same command again is safe");
}

std::string render_trials(const std::vector<engine::Trial>& trials) {
  std::string text;
  for (const engine::Trial& trial : trials) {
    const std::string_view verdict = trial.verdict == engine::Trial::Verdict::accepted  ? "accepted"
                                     : trial.verdict == engine::Trial::Verdict::refused ? "REFUSED"
                                                                                        : "not tried";
    text += fmt::format("{:<9}  {}{}{}\n", verdict, printable(trial.step.title),
                        trial.why.empty() ? "" : ": ", printable(trial.why));
  }
  return text;
}

}  // namespace truenas::report
