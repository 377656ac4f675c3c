#pragma once
// JsonReporter: the mover's output. JSON lines on one descriptor (the Pod's log) and, once, the result in the
// container's termination message. It decides how much is written, never what it means.
//
// Lines: {"type":"progress",…} at most once a second; {"type":"finding",…} at most `lines_a_kind` of one kind
// and severity (all are counted in the result); {"type":"result",…} once, last. Paths are escaped
// (path_text.h). Members of the result, most important first: type, mode, exit, text, findings (count by
// severity and kind), facts, counts, first (findings that failed the run).

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "lib/mover/finding.h"

namespace truenas::mover {

// What the kubelet keeps of a container's termination message.
inline constexpr std::size_t k_termination_bytes = 4096;

struct ReportOptions {
  int descriptor = 1;
  std::string termination_file;  // written only if it exists already (the kubelet mounts it); "" for none
  std::size_t lines_a_kind = 1000;
  // Monotonic; for tests.
  std::function<std::chrono::steady_clock::time_point()> now = std::chrono::steady_clock::now;
};

std::string severity_name(Severity severity);
std::string render_progress(const Progress& progress);
std::string render_finding(const Finding& finding);
using FindingCounts = std::map<std::pair<Severity, std::string>, std::uint64_t>;
// At most `limit` bytes, always valid JSON; everything when limit is 0.
std::string render_result(const Outcome& outcome, const FindingCounts& counts,
                          const std::vector<Finding>& first, std::size_t limit = 0);

class JsonReporter : public Reporter {
 public:
  explicit JsonReporter(ReportOptions options) : options_(std::move(options)) {}
  void progress(const Progress& progress) override;
  void finding(const Finding& finding) override;
  void result(const Outcome& outcome) override;

 private:
  void line(const std::string& text);
  void write_termination(const std::string& text) const;

  ReportOptions options_;
  std::mutex mutex_;
  std::chrono::steady_clock::time_point last_progress_{};
  bool any_progress_ = false;
  FindingCounts counts_;
  std::map<std::pair<Severity, std::string>, std::size_t> lines_;
  std::vector<Finding> first_;
};

}  // namespace truenas::mover
