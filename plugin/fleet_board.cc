#include "plugin/fleet_board.h"

#include <fmt/format.h>

#include <cstdio>

#include "lib/base/quantity.h"
#include "lib/base/text.h"

namespace truenas::plugin {
namespace {

constexpr Milliseconds k_draw_every{200};

// Of a run, as its one line on a terminal.
class BoardProgress final : public engine::RunObserver {
 public:
  BoardProgress(FleetBoard& board, std::string name) : board_(board), name_(std::move(name)) {}
  void on_step_begin(const engine::Step& step, int /*attempt*/) override { board_.say(name_, step.title); }
  void on_wait(const engine::Wait& wait, Milliseconds elapsed, const std::string& because) override {
    board_.say(name_, fmt::format("waiting for {} ({}): {}", wait.whom, format_elapsed(elapsed),
                                  because.empty() ? wait.why : because));
  }
  void on_trouble(const Error& error, Milliseconds retry_in) override {
    board_.say(name_, fmt::format("{}; looking again in {}", error.what, format_elapsed(retry_in)));
  }

 private:
  FleetBoard& board_;
  std::string name_;
};

}  // namespace

Result<ProgressStyle> parse_progress_style(const std::string& text) {
  if (text == "auto") return ProgressStyle::automatic;
  if (text == "plain") return ProgressStyle::plain;
  if (text == "none") return ProgressStyle::none;
  return make_error(Kind::usage, fmt::format("--progress is auto, plain or none, not {}", quote(text)));
}

std::string total_line(const FleetCount& count) {
  std::string text = fmt::format("{} of {} done", count.done, count.all);
  if (count.failed > 0) text += fmt::format(", {} failed", count.failed);
  if (count.under_way > 0) text += fmt::format(", {} under way", count.under_way);
  text += "; " + format_elapsed(count.elapsed);
  const std::size_t ended = count.done + count.failed;
  if (ended == 0 || ended >= count.all) return text;
  const auto left = static_cast<std::int64_t>(count.all - ended);
  const Milliseconds guess = count.elapsed * left / static_cast<std::int64_t>(ended);
  return text + fmt::format(", about {} left", format_elapsed(guess));
}

FleetBoard::FleetBoard(Clock& clock, ProgressStyle style, std::size_t moves)
    : clock_(clock),
      style_(style),
      live_(style == ProgressStyle::automatic && stderr_is_terminal()),
      start_(clock.steady()) {
  count_.all = moves;
}

FleetBoard::~FleetBoard() {
  if (live_) show_footer("");
}

void FleetBoard::begin(const std::string& name) {
  const std::lock_guard<std::mutex> lock(mutex_);
  ++count_.under_way;
  lines_[name] = "begins";
  if (live_) draw();
}

void FleetBoard::say(const std::string& name, const std::string& text) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto line = lines_.find(name);
  if (line == lines_.end()) return;
  line->second = text;
  if (live_ && clock_.steady() - drawn_ >= k_draw_every) draw();
}

void FleetBoard::end(const std::string& name, bool worked) {
  const std::lock_guard<std::mutex> lock(mutex_);
  lines_.erase(name);
  --count_.under_way;
  ++(worked ? count_.done : count_.failed);
  count_.elapsed = clock_.steady() - start_;
  if (live_) draw();
  if (!live_ && style_ != ProgressStyle::none) tell("total: " + total_line(count_) + "\n");
}

std::unique_ptr<engine::RunObserver> FleetBoard::observer(const std::string& name) {
  if (style_ == ProgressStyle::none) return std::make_unique<engine::RunObserver>();
  if (live_) return std::make_unique<BoardProgress>(*this, name);
  return std::make_unique<ConsoleProgress>(clock_, name);
}

void FleetBoard::on_line(const std::string& name, const std::string& line) {
  if (live_) return say(name, line);
  if (style_ != ProgressStyle::none) tell(fmt::format("         {}: {}\n", name, printable(line)));
}

std::string FleetBoard::text() const {
  std::string text;
  for (const auto& [name, line] : lines_) text += fmt::format("{}: {}\n", printable(name), printable(line));
  return text + "total: " + total_line(count_) + "\n";
}

void FleetBoard::draw() {
  drawn_ = clock_.steady();
  count_.elapsed = drawn_ - start_;
  show_footer(text());
}

}  // namespace truenas::plugin
