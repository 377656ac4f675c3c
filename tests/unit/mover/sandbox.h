#pragma once
// What the mover's tests stand on: a folder of their own, trees made in it by plain system calls, and a
// description of a tree that owes nothing to the mover.

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "lib/mover/copy.h"
#include "lib/mover/finding.h"

namespace truenas::mover::test {

// A folder with `src` and `dst` in it, removed with everything at the end.
class Sandbox {
 public:
  // In the temporary directory, or in `where`.
  explicit Sandbox(const std::string& where = "");
  ~Sandbox();
  Sandbox(const Sandbox&) = delete;
  Sandbox& operator=(const Sandbox&) = delete;
  const std::string& path() const { return path_; }
  std::string source(const std::string& name = "") const {
    return path_ + "/src" + (name.empty() ? "" : "/" + name);
  }
  std::string target(const std::string& name = "") const {
    return path_ + "/dst" + (name.empty() ? "" : "/" + name);
  }

 private:
  std::string path_;
};

// Each aborts the test program when it fails: a test that could not be set up has tested nothing.
void make_directory(const std::string& path, unsigned mode = 0755);
void write_file(const std::string& path, const std::string& content, unsigned mode = 0644);
void make_symlink(const std::string& text, const std::string& path);
void make_link(const std::string& old_path, const std::string& path);
void make_fifo(const std::string& path, unsigned mode = 0644);
void make_socket(const std::string& path);
void set_owner(const std::string& path, uid_t uid, gid_t gid);
void set_mode(const std::string& path, unsigned mode);
void set_mtime(const std::string& path, std::int64_t seconds, long nanoseconds);
void set_xattr(const std::string& path, const std::string& name, const std::string& value);
void rename_path(const std::string& from, const std::string& to);
void remove_path(const std::string& path);
std::string read_file(const std::string& path);
bool exists(const std::string& path);
unsigned mode_of(const std::string& path);  // with setuid, setgid and sticky
std::uint64_t inode_of(const std::string& path);
std::uint64_t blocks_of(const std::string& path);

// Every path below `root` ("." too) with type, mode, owner, mtime, size, content, link text, extended
// attributes and the first path of its hard-link group.
using Description = std::map<std::string, std::string>;
Description describe(const std::string& root);
// The differences, one a line; "" when there is none.
std::string differences(const Description& left, const Description& right);
std::string differences(const Sandbox& sandbox);

class RecordingReporter : public Reporter {
 public:
  void progress(const Progress& progress) override;
  void finding(const Finding& finding) override;
  void result(const Outcome& outcome) override;
  // The findings of one kind, "path: text" each.
  std::vector<std::string> of_kind(const std::string& kind) const;
  std::string all() const;

 private:
  mutable std::mutex mutex_;
  std::vector<Finding> findings_;
};

struct Copied {
  Outcome outcome;
  std::string findings;
  std::uint64_t count(const std::string& name) const;
};
// copy() of the sandbox with --delete unless the options say otherwise.
Copied run_copy(const Sandbox& sandbox, const CopyOptions& options);
CopyOptions deleting();
// deleting() at a megabyte a second, for what has to happen while a file is being copied.
CopyOptions deleting_slowly();

// Runs `body` in a process of its own, in a mount namespace of its own; what it returns is its complaint, ""
// when it is content. Mounts made in it vanish with it.
std::string in_mount_namespace(const std::function<std::string()>& body);
void mount_tmpfs(const std::string& path, const std::string& options);
void mount_bind(const std::string& from, const std::string& path);

}  // namespace truenas::mover::test
