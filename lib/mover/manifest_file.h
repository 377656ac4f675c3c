#pragma once
// The manifest as a file: a header, one line a directory in the order of a walk (names sorted by their bytes,
// a directory before what is in it), and a last line with the hash of these lines. Written and read as a
// stream.
//
//   volume-mover manifest 1
//   hash xxh3-128
//   xattrs <yes|no>                                  whether extended attributes are in it
//   map-owner 0:0=1000:1000                          for each rule that was applied to the owners
//   leave-out <path>                                 for each path that is not in it
//   root <uid>:<gid> <mode> <seconds>.<nanoseconds> <xattrs> <carried|expected>
//   <hash> <entries> <path>                          the first one is "."
//   end <hash> <directories> <entries>
//
// Paths are escaped (path_text.h). "expected": the root directory's own attributes could not be carried.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "lib/base/result.h"
#include "lib/mover/descriptor.h"
#include "lib/mover/entry.h"
#include "lib/mover/hashing.h"
#include "lib/mover/ownership.h"

namespace truenas::mover {

struct ManifestHeader {
  std::vector<OwnerRule> owner_rules;
  std::set<std::string> leave_out;
  Owner root_owner;
  std::uint16_t root_mode = 0;
  Timestamp root_mtime;
  Digest root_xattrs;
  bool root_carried = true;
  bool xattrs = true;
};

struct ManifestLine {
  Digest hash;
  std::uint64_t entries = 0;
  std::string path;  // bytes; "." is the root
  bool operator==(const ManifestLine&) const = default;
};

struct ManifestEnd {
  Digest hash;  // of all lines of directories
  std::uint64_t directories = 0, entries = 0;
};

std::string render(const ManifestHeader& header);
std::string render(const ManifestLine& line);
std::string render(const ManifestEnd& end);

// Adds the lines up to the last one.
class ManifestSum {
 public:
  void add(const ManifestLine& line);
  ManifestEnd end() const;

 private:
  Hasher hasher_;
  std::uint64_t directories_ = 0, entries_ = 0;
};

// Less than 0, 0, more: the order of a manifest's paths.
int compare_in_walk_order(std::string_view left, std::string_view right);

// Reads strictly; every error is Kind::format with the line's number, or Kind::unavailable.
class ManifestReader {
 public:
  // `read` gives the next bytes of the file, "" at its end.
  explicit ManifestReader(std::function<Result<std::string>()> read) : read_(std::move(read)) {}
  Result<ManifestHeader> header();
  // The next directory; nothing once the last line was read and found right.
  Result<std::optional<ManifestLine>> next();
  const ManifestEnd& end() const { return end_; }

 private:
  Result<std::string> line();
  Error bad(std::string what) const;
  Result<ManifestLine> parse_directory(const std::string& text);
  Result<void> parse_end(const std::string& text);

  std::function<Result<std::string>()> read_;
  std::string buffer_;
  std::size_t at_ = 0, number_ = 0;
  bool file_ended_ = false, finished_ = false;
  std::optional<std::string> last_path_;
  ManifestSum sum_;
  ManifestEnd end_;
};

// Reads the file at `path` in pieces.
Result<ManifestReader> open_manifest(const std::string& path);

}  // namespace truenas::mover
