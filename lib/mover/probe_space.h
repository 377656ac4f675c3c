#pragma once
// The directory in which a probe tries things, its names, and its removal. Private to the probe.

#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lib/mover/descriptor.h"
#include "lib/mover/finding.h"
#include "lib/mover/probe_verdict.h"

namespace truenas::mover {

class ProbeSpace {
 public:
  // `callers`: whom to act as, in this order, when something must be made or removed. `root` stays the
  // caller's.
  ProbeSpace(int root, std::vector<Owner> callers, Reporter& reporter)
      : root_(root), callers_(std::move(callers)), reporter_(reporter) {}
  // Removes what it made.
  ~ProbeSpace();
  ProbeSpace(const ProbeSpace&) = delete;
  ProbeSpace& operator=(const ProbeSpace&) = delete;

  // Removes what killed probes left: directories whose name is a probe's and that hold nothing but a probe's
  // files. Returns how many. One that a living probe still holds locked is left alone, as is one that holds
  // anything else (a warning names it).
  std::uint64_t remove_left_overs();

  // As `caller`, makes a directory in the root: the first one stays and becomes the space, later ones are
  // removed at once. Returns the errno, 0 if it worked.
  int try_directory(Owner caller);
  // Opens the space to everybody. -1 when nobody could make a directory.
  int descriptor() const { return space_.get(); }

 private:
  bool remove_directory(const std::string& name);
  bool is_alive(int directory) const;
  bool unlink_as_any(int directory, const std::string& name, int flags) const;
  void warn(std::string kind, const std::string& name, std::string text);

  int root_;
  std::vector<Owner> callers_;
  Reporter& reporter_;
  std::string name_;
  Descriptor space_, lock_;
};

// "<uid>.<what>": the names inside; `what` is one of a fixed set of words, or "create-" and a number.
std::string probe_file(Owner as, std::string_view what);

}  // namespace truenas::mover
