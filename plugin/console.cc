#include "plugin/console.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <cstdio>

#include "lib/base/interrupt.h"
#include "lib/base/quantity.h"
#include "lib/base/text.h"

namespace truenas::plugin {
namespace {
constexpr Milliseconds k_wait_line_every{15000};

std::string without_digits(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (c < '0' || c > '9') result += c;
  }
  return result;
}

}  // namespace

bool stdin_is_terminal() {
  return isatty(STDIN_FILENO) == 1;
}
bool stderr_is_terminal() {
  return isatty(STDERR_FILENO) == 1;
}

std::optional<std::string> ask(const std::string& question) {
  std::fputs(question.c_str(), stderr);
  std::string answer;
  while (!interrupted()) {
    // Polled, so that Ctrl-C at the question is seen at once even where reads are restarted.
    pollfd waiting{STDIN_FILENO, POLLIN, 0};
    if (poll(&waiting, 1, 100) <= 0) continue;
    char c = 0;
    const ssize_t got = read(STDIN_FILENO, &c, 1);
    if (got <= 0) return std::nullopt;
    if (c == '\n') return answer;
    if (answer.size() < 1024) answer += c;
  }
  return std::nullopt;
}

void ConsoleProgress::line(const std::string& text) {
  finish();
  std::fputs(fmt::format("[{:>6}] {}{}\n", format_elapsed(clock_.steady() - start_), printable(label_),
                         printable(text))
                 .c_str(),
             stderr);
}

void ConsoleProgress::finish() {
  if (open_line_) std::fputs("\n", stderr);
  open_line_ = false;
}

void ConsoleProgress::on_step_begin(const engine::Step& step, int attempt) {
  waited_.clear();
  line(attempt == 1 ? step.title : fmt::format("{} (attempt {})", step.title, attempt));
}

void ConsoleProgress::on_step_done(const engine::Step& step, Milliseconds elapsed) {
  if (elapsed >= Milliseconds(5000))
    line(fmt::format("{}: done after {}", step.title, format_elapsed(elapsed)));
}

void ConsoleProgress::on_wait(const engine::Wait& wait, Milliseconds elapsed, const std::string& because) {
  const std::string what =
      fmt::format("waiting for {}: {}{}{}", wait.whom, wait.why, because.empty() ? "" : "; ", because);
  const Milliseconds now = clock_.steady();
  if (live_) {
    std::fputs(fmt::format("\r\x1b[K[{:>6}] {} ({})", format_elapsed(now - start_), printable(what),
                           format_elapsed(elapsed))
                   .c_str(),
               stderr);
    open_line_ = true;
    return;
  }
  if (what == waited_ && now - last_wait_line_ < k_wait_line_every) return;
  line(fmt::format("{} ({})", what, format_elapsed(elapsed)));
  waited_ = what;
  last_wait_line_ = now;
}

void ConsoleProgress::on_progress(const std::string& text) {
  // Replication lag wanders all the time: by itself it is worth a line now and then only.
  const Milliseconds now = clock_.steady();
  const std::string shape = without_digits(text);
  if (shape == progress_ && now - last_progress_line_ < k_wait_line_every) return;
  line(text);
  progress_ = shape;
  last_progress_line_ = now;
}

void ConsoleProgress::on_trouble(const Error& error, Milliseconds retry_in) {
  line(fmt::format("{}; looking again in {}", error.what, format_elapsed(retry_in)));
}

}  // namespace truenas::plugin
