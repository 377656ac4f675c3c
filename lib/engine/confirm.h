#pragma once
// Confirm: may this plan be carried out? Decides from flags, terminal and what was typed. Pure: asking (on
// stderr) and reading the answer is the plugin's, and so is what a flag is called beyond the texts here.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lib/engine/plan.h"

namespace truenas::engine {

struct Consent {
  bool assume_yes = false;  // -y
  bool terminal = false;    // stdin is a terminal
};

// What to print to stderr, without a newline, before one line is read.
inline constexpr std::string_view k_question = "Carry out this plan? Only \"yes\" goes on: ";

// True: ask. False: -y was given. Kind::usage: neither -y nor a terminal.
Result<bool> must_ask(const Consent& consent);
// Ok for exactly "yes" (white space around it does not count); anything else, and the end of input, is
// Kind::refused: nothing was changed.
Result<void> judge_answer(const std::optional<std::string>& line);
// Kind::refused naming every --accept=ID that is missing; -y and "yes" do not stand for them.
Result<void> check_acceptances(const std::vector<Acceptance>& needs);
// For what needs its own phrase (--confirm='3 volumes, 30Gi'): Kind::refused unless it is exactly that.
Result<void> check_phrase(std::string_view expected, const std::optional<std::string>& given);
// All of it for one plan; `ask` prints the question and reads a line, nullopt at the end of input. Ok at once
// when there is nothing to do.
Result<void> confirm(const Plan& plan, const Consent& consent,
                     const std::function<std::optional<std::string>(std::string_view question)>& ask);

}  // namespace truenas::engine
