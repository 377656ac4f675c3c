#include "lib/mover/report.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "lib/mover/descriptor.h"
#include "lib/mover/json_writer.h"
#include "lib/mover/path_text.h"

namespace truenas::mover {
namespace {

constexpr std::size_t k_first_findings = 20;
constexpr std::size_t k_longest_text = 1024;   // bytes of a sentence in the result
constexpr std::size_t k_longest_path = 16384;  // bytes of a path in a line

// A partly written line would be two broken ones.
void write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t wrote = ::write(descriptor, text.data(), text.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return;  // nobody reads any more; the exit code still tells
    text.remove_prefix(static_cast<std::size_t>(wrote));
  }
}

// With `type` as its first member when it is a line of its own.
std::string render(const Finding& finding, bool own_line) {
  JsonObject object;
  if (own_line) object.text("type", "finding");
  object.text("severity", severity_name(finding.severity)).text("kind", finding.kind);
  if (!finding.path.empty()) {
    const bool whole = finding.path.size() <= k_longest_path;
    object.path("path", std::string_view(finding.path).substr(0, k_longest_path));
    if (!whole) object.flag("path_cut", true);
  }
  object.text("text", finding.text);
  if (finding.count != 1) object.number("count", finding.count);
  return object.str();
}

}  // namespace

std::string severity_name(Severity severity) {
  switch (severity) {
    case Severity::note:
      return "note";
    case Severity::expected:
      return "expected";
    case Severity::warning:
      return "warning";
    case Severity::error:
      break;
  }
  return "error";
}

std::string render_progress(const Progress& progress) {
  JsonObject object;
  object.text("type", "progress").text("phase", progress.phase);
  object.number("entries", progress.entries).number("directories", progress.directories);
  object.number("changed", progress.changed).number("bytes", progress.bytes);
  if (progress.bytes_total != 0) object.number("bytes_total", progress.bytes_total);
  return object.number("workers", progress.workers).str();
}

std::string render_finding(const Finding& finding) {
  return render(finding, true);
}

std::string render_result(const Outcome& outcome, const FindingCounts& counts,
                          const std::vector<Finding>& first, std::size_t limit) {
  BoundedObject object;
  object.add("type", json_text("result"));
  object.add("mode", json_text(outcome.mode));
  object.add("exit", std::to_string(outcome.exit));
  object.add("text", json_text(limit == 0 ? outcome.text : cut_utf8(outcome.text, k_longest_text)));
  std::vector<std::string> totals, facts, numbers, list;
  for (const auto& [key, count] : counts) {
    totals.push_back(json_member(severity_name(key.first) + ":" + key.second, std::to_string(count)));
  }
  for (const auto& [key, value] : outcome.facts) facts.push_back(json_member(key, json_text(value)));
  for (const auto& [key, value] : outcome.counts) numbers.push_back(json_member(key, std::to_string(value)));
  for (const Finding& finding : first) list.push_back(render(finding, false));
  object.add_object("findings", std::move(totals));
  object.add_object("facts", std::move(facts));
  object.add_object("counts", std::move(numbers));
  object.add_list("first", std::move(list));
  return object.str(limit);
}

void JsonReporter::line(const std::string& text) {
  write_all(options_.descriptor, text + "\n");
}

void JsonReporter::progress(const Progress& progress) {
  const std::lock_guard lock(mutex_);
  const auto now = options_.now();
  if (any_progress_ && now - last_progress_ < std::chrono::seconds(1)) return;
  any_progress_ = true;
  last_progress_ = now;
  line(render_progress(progress));
}

void JsonReporter::finding(const Finding& finding) {
  const std::lock_guard lock(mutex_);
  const std::pair key{finding.severity, finding.kind};
  counts_[key] += finding.count;
  if (finding.severity == Severity::error && first_.size() < k_first_findings) first_.push_back(finding);
  if (lines_[key]++ < options_.lines_a_kind) line(render_finding(finding));
}

void JsonReporter::result(const Outcome& outcome) {
  const std::lock_guard lock(mutex_);
  line(render_result(outcome, counts_, first_));
  if (!options_.termination_file.empty()) {
    write_termination(render_result(outcome, counts_, first_, k_termination_bytes));
  }
}

void JsonReporter::write_termination(const std::string& text) const {
  const Descriptor file(
      ::open(options_.termination_file.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOFOLLOW));
  if (file.is_open()) write_all(file.get(), text);
}

}  // namespace truenas::mover
