#pragma once
// The numbers that a scan adds up. Pure; private to the scan.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lib/mover/entry.h"
#include "lib/mover/finding.h"

namespace truenas::mover {

class ScanTotals {
 public:
  // `path` is relative to the root; `depth` is 1 for what lies directly in it.
  void add(std::string_view path, std::size_t depth, std::string_view name, const Attributes& attributes);
  // The whole subtree below was left out.
  void add_left_out() { ++left_out_; }
  void add_xattr(const std::string& name) { ++xattrs_[name]; }

  std::uint64_t entries() const { return entries_; }
  std::uint64_t directories() const { return by_type_[static_cast<std::size_t>(FileType::directory)]; }
  std::uint64_t bytes() const { return bytes_; }
  // Into the counts and facts of the result. Lists are bounded; what is left out of them is counted.
  void write(Outcome& outcome) const;

 private:
  struct OwnerTotal {
    std::uint64_t entries = 0, bytes = 0;
  };
  struct Links {
    std::uint32_t seen = 0, all = 0;
  };
  struct Biggest {
    std::uint64_t bytes = 0;
    std::string path;
  };
  struct KeyHash {
    std::size_t operator()(const FileKey& key) const {
      return static_cast<std::size_t>((key.inode ^ key.device << 7) * 0x9e3779b97f4a7c15u);
    }
  };
  void add_file(std::string_view path, const Attributes& attributes);
  void write_owners(Outcome& outcome) const;
  void write_links(Outcome& outcome) const;

  std::uint64_t entries_ = 0, bytes_ = 0, allocated_ = 0, sparse_ = 0, sparse_bytes_ = 0, left_out_ = 0;
  std::uint64_t not_utf8_ = 0, near_path_max_ = 0, special_modes_ = 0;
  std::uint64_t by_type_[8] = {};
  std::size_t deepest_ = 0, longest_path_ = 0, longest_name_ = 0;
  std::string deepest_path_;
  std::map<Owner, OwnerTotal> owners_;
  std::map<std::string, std::uint64_t> xattrs_;
  std::unordered_map<FileKey, Links, KeyHash> links_;
  std::vector<Biggest> biggest_;  // the largest first
};

// A path so long that programs which hand it over whole (PATH_MAX is 4096) fail, or soon will.
inline constexpr std::size_t k_near_path_max = 3840;

}  // namespace truenas::mover
