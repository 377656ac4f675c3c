#pragma once
// A directory of a test's own, and small things to do in it. Aborts the test when it cannot.

#include <sys/stat.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/mover/finding.h"

namespace truenas::mover {

class ScratchTree {
 public:
  ScratchTree();
  ~ScratchTree();  // with all that is in it
  ScratchTree(const ScratchTree&) = delete;
  ScratchTree& operator=(const ScratchTree&) = delete;

  const std::string& path() const { return path_; }
  std::string at(std::string_view name) const { return path_ + "/" + std::string(name); }
  // Each returns the path, so that calls can be nested.
  std::string file(std::string_view name, std::string_view content = "") const;
  std::string directory(std::string_view name) const;

 private:
  std::string path_;
};

void own(const std::string& path, std::uint32_t uid, std::uint32_t gid);
void set_mode(const std::string& path, unsigned mode);
void set_mtime(const std::string& path, std::int64_t seconds, std::int64_t nanoseconds);
void set_xattr(const std::string& path, const char* name, std::string_view value);
struct stat status_of(const std::string& path);
std::string read_whole(const std::string& path);
// All names below, relative, sorted.
std::vector<std::string> names_below(const std::string& path);

// Keeps what it is told.
class CollectingReporter : public Reporter {
 public:
  void progress(const Progress&) override {}
  void finding(const Finding& finding) override { findings.push_back(finding); }
  void result(const Outcome&) override {}
  // "<kind> <path>" of all findings of a severity, sorted.
  std::vector<std::string> of(Severity severity) const;

  std::vector<Finding> findings;
};

// 0 when there is no such count.
std::uint64_t count_of_outcome(const Outcome& outcome, std::string_view name);
std::string fact_of_outcome(const Outcome& outcome, std::string_view name);

}  // namespace truenas::mover
