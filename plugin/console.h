#pragma once
// The user's terminal: progress lines on stderr, and the one question. It must not decide what an answer
// means (engine/confirm.h does).

#include <optional>
#include <string>

#include "lib/engine/run.h"

namespace truenas::plugin {

bool stdin_is_terminal();
bool stderr_is_terminal();
// Prints `question` to stderr and reads one line from stdin; nullopt at its end or when interrupted.
std::optional<std::string> ask(const std::string& question);

// Prints to stderr, above a footer where there is one. Thread-safe; for everything that may be said while
// several runs go on.
void tell(const std::string& text);
// Lines that stay below all others on a terminal until the next footer; "" takes them away. Cut to the
// terminal's size: the last line is kept.
void show_footer(const std::string& lines);
// The footer as it fits. Pure.
std::string fit_footer(const std::string& lines, std::size_t columns, std::size_t rows);

// One line an event. On a terminal a wait rewrites its own line; in a pipe, or beside other runs, it is
// repeated at most every 15 s.
class ConsoleProgress final : public engine::RunObserver {
 public:
  // `label` says whose lines these are where several runs share the terminal; "" for a run by itself.
  explicit ConsoleProgress(Clock& clock, const std::string& label = "")
      : clock_(clock),
        label_(label.empty() ? "" : label + ": "),
        start_(clock.steady()),
        live_(label.empty() && stderr_is_terminal()) {}
  void on_step_begin(const engine::Step& step, int attempt) override;
  void on_step_done(const engine::Step& step, Milliseconds elapsed) override;
  void on_wait(const engine::Wait& wait, Milliseconds elapsed, const std::string& because) override;
  void on_progress(const std::string& line) override;
  void on_trouble(const Error& error, Milliseconds retry_in) override;
  // Ends a line that is still open.
  void finish();

 private:
  void line(const std::string& text);
  Clock& clock_;
  std::string label_;
  Milliseconds start_;
  bool live_;
  bool open_line_ = false;  // the last line on the terminal is a wait that may be rewritten
  std::string waited_;      // what the last wait line said, without its time
  Milliseconds last_wait_line_{0};
  std::string progress_;  // what the last progress line said, without its numbers
  Milliseconds last_progress_line_{0};
};

}  // namespace truenas::plugin
