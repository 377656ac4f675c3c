#pragma once
// What the mover tells: findings, progress and one result. How they are written (JSON lines) is decided by
// whoever implements Reporter; nothing here prints.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace truenas::mover {

enum class Severity {
  note,      // worth knowing
  expected,  // the class cannot carry it and the plan said so: counted apart, no failure
  warning,   // to be looked at; does not fail this run
  error,     // the run fails
};

struct Finding {
  Severity severity = Severity::note;
  std::string kind;  // one of a fixed set of words: "changed-while-copied", "no-space", "owner-refused" …
  std::string path;  // bytes as they are, relative to the root; "." is the root; "" is no file
  std::string text;  // one lower-case sentence
  std::uint64_t count = 1;
};

struct Progress {
  std::string phase;              // "copy", "compare", "scan"
  std::uint64_t entries = 0;      // looked at so far
  std::uint64_t directories = 0;  // done
  std::uint64_t changed = 0;      // copied or differing
  std::uint64_t bytes = 0;        // read or copied
  std::uint64_t bytes_total = 0;  // 0: not known
  unsigned workers = 0;
};

// The end of a run. `exit`: 0 done, 1 failed, 3 mismatch, 4 refused, 143 interrupted.
struct Outcome {
  std::string mode;
  int exit = 0;
  std::string text;  // one sentence
  std::vector<std::pair<std::string, std::uint64_t>> counts;
  std::vector<std::pair<std::string, std::string>> facts;
};

// Called from any thread at any time; an implementation locks for itself, keeps `progress` to once a second,
// and bounds how many findings of one kind it writes (all are counted).
class Reporter {
 public:
  virtual ~Reporter() = default;
  virtual void progress(const Progress& progress) = 0;
  virtual void finding(const Finding& finding) = 0;
  virtual void result(const Outcome& outcome) = 0;
};

}  // namespace truenas::mover
