#pragma once
// Which names are the same file, on two sides at once or on one. Memory only for files with several names.
// Not thread-safe: the walk asks in its own order, so that the answer does not depend on timing.

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

#include "lib/mover/entry.h"

namespace truenas::mover {

struct FileKeyHash {
  std::size_t operator()(const FileKey& key) const {
    return static_cast<std::size_t>((key.inode ^ key.device << 7) * 0x9e3779b97f4a7c15u);
  }
};

// First names of one tree's files.
class FirstNames {
 public:
  // The first path under which this file was seen, "" if this is the first one.
  std::string see(const Attributes& file, const std::string& path);

 private:
  std::unordered_map<FileKey, std::string, FileKeyHash> first_;
};

// Whether both sides group their names in the same way: the files that names stand for must be paired one to
// one.
class SharedLinks {
 public:
  // The sentence of a difference of kind "links", or nothing. `path` is the name that both have.
  std::optional<std::string> see(const Attributes& source, const Attributes& target, const std::string& path);

 private:
  struct Partner {
    FileKey file;
    std::string path;  // under which the two were first seen together
  };
  std::unordered_map<FileKey, Partner, FileKeyHash> of_source_, of_target_;
};

}  // namespace truenas::mover
