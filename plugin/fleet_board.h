#pragma once
// FleetBoard: what is shown of many moves side by side: on a terminal one line a move and a total that
// rewrite themselves, in a pipe one line an event. It decides nothing, and it is not the answer (stdout).

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "plugin/console.h"

namespace truenas::plugin {

// --progress.
enum class ProgressStyle { automatic, plain, none };
Result<ProgressStyle> parse_progress_style(const std::string& text);

// Counts for the total. Pure.
struct FleetCount {
  std::size_t all = 0, done = 0, failed = 0, under_way = 0;
  Milliseconds elapsed{0};
};
// "12 of 40 done, 1 failed, 4 under way; 3m10s, about 7m20s left"; what is left is reckoned from how long
// those took that have ended.
std::string total_line(const FleetCount& count);

// Thread-safe.
class FleetBoard {
 public:
  FleetBoard(Clock& clock, ProgressStyle style, std::size_t moves);
  ~FleetBoard();
  FleetBoard(const FleetBoard&) = delete;
  FleetBoard& operator=(const FleetBoard&) = delete;

  void begin(const std::string& name);
  // What it does now, for its line; where there is none, nothing.
  void say(const std::string& name, const std::string& text);
  void end(const std::string& name, bool worked);
  // For a run of this move: its events as this board shows them.
  std::unique_ptr<engine::RunObserver> observer(const std::string& name);
  // A mover's progress.
  void on_line(const std::string& name, const std::string& line);

 private:
  std::string text() const;
  void draw();

  Clock& clock_;
  const ProgressStyle style_;
  const bool live_;
  const Milliseconds start_;
  std::mutex mutex_;  // of what follows
  FleetCount count_;
  std::map<std::string, std::string> lines_;  // by move: what it does now
  Milliseconds drawn_{-1000};
};

}  // namespace truenas::plugin
