#include "lib/engine/confirm.h"

#include <fmt/format.h>

#include "lib/base/text.h"

namespace truenas::engine {

Result<bool> must_ask(const Consent& consent) {
  if (consent.assume_yes) return false;
  if (consent.terminal) return true;
  return make_error(Kind::usage,
                    "there is no terminal to ask whether to carry out this plan; nothing was changed",
                    {"add -y to carry it out without being asked, or --dry-run=client to see it only"});
}

Result<void> judge_answer(const std::optional<std::string>& line) {
  if (line && trim(*line) == "yes") return {};
  return make_error(Kind::refused, "not confirmed; nothing was changed");
}

Result<void> check_acceptances(const std::vector<Acceptance>& needs) {
  std::vector<std::string> missing, flags;
  for (const Acceptance& need : needs) {
    if (need.accepted) continue;
    missing.push_back(need.what);
    flags.push_back("--accept=" + need.id);
  }
  if (missing.empty()) return {};
  return make_error(Kind::refused, "this plan needs your consent to: " + join(missing, "; "),
                    {"add " + join(flags, " ") + " to agree", "nothing was changed"});
}

Result<void> check_phrase(std::string_view expected, const std::optional<std::string>& given) {
  if (given && *given == expected) return {};
  return make_error(Kind::refused,
                    given ? fmt::format("--confirm says {}, the plan says {}; nothing was changed",
                                        quote(*given), quote(expected))
                          : fmt::format("this needs --confirm={}; nothing was changed", quote(expected)),
                    {fmt::format("read the plan, then add --confirm='{}'", expected)});
}

Result<void> confirm(const Plan& plan, const Consent& consent,
                     const std::function<std::optional<std::string>(std::string_view question)>& ask) {
  if (plan.nothing_to_do()) return {};
  TM_TRY(check_acceptances(plan.needs));
  TM_TRY_ASSIGN(const bool asking, must_ask(consent));
  if (!asking) return {};
  return judge_answer(ask(k_question));
}

}  // namespace truenas::engine
