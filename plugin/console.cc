#include "plugin/console.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <mutex>
#include <vector>

#include "lib/base/interrupt.h"
#include "lib/base/quantity.h"
#include "lib/base/text.h"

namespace truenas::plugin {
namespace {
constexpr Milliseconds k_wait_line_every{15000};

// By code points: what is printed here is UTF-8, and hardly ever wider than a column each.
std::string cut_to_width(const std::string& line, std::size_t columns) {
  std::size_t seen = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const bool begins = (static_cast<unsigned char>(line[i]) & 0xC0) != 0x80;
    if (begins && ++seen > columns) return line.substr(0, i);
  }
  return line;
}

std::string without_digits(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (c < '0' || c > '9') result += c;
  }
  return result;
}

// The terminal is the process's: one footer, one writer at a time.
struct Footer {
  std::mutex mutex;
  std::string shown;
};
Footer& footer() {
  static Footer the_footer;
  return the_footer;
}

void take_away(const Footer& footer) {
  for (const char c : footer.shown) {
    if (c == '\n') std::fputs("\x1b[1A\x1b[2K", stderr);
  }
}

}  // namespace

void tell(const std::string& text) {
  Footer& below = footer();
  const std::lock_guard<std::mutex> lock(below.mutex);
  take_away(below);
  std::fputs(text.c_str(), stderr);
  if (!below.shown.empty() && !text.ends_with('\n')) std::fputs("\n", stderr);
  std::fputs(below.shown.c_str(), stderr);
}

std::string fit_footer(const std::string& lines, std::size_t columns, std::size_t rows) {
  std::vector<std::string> all = split(lines, '\n');
  if (!all.empty() && all.back().empty()) all.pop_back();
  const std::size_t room = std::max<std::size_t>(rows, 2);
  std::string text;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const bool last = i + 1 == all.size();
    // One row for the line that says how many are left out, one for the last, which says the most.
    if (!last && all.size() > room && i + 2 >= room) {
      text += fmt::format("… and {} more\n", all.size() - 1 - i);
      i = all.size() - 2;
      continue;
    }
    text += cut_to_width(all[i], columns) + "\n";
  }
  return text;
}

void show_footer(const std::string& lines) {
  winsize size{};
  const bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0;
  const std::string text = fit_footer(lines, known ? size.ws_col : 80U, known ? size.ws_row - 1U : 23U);
  Footer& below = footer();
  const std::lock_guard<std::mutex> lock(below.mutex);
  take_away(below);
  below.shown = text;
  std::fputs(below.shown.c_str(), stderr);
}

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
  tell(fmt::format("[{:>6}] {}{}\n", format_elapsed(clock_.steady() - start_), printable(label_),
                   printable(text)));
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
