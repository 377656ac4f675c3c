#pragma once
// Doing work as somebody else, one thread at a time. It must never let work go on under an identity that
// could not be taken: that ends the process.

#include "tests/cluster/share/rule.h"

namespace truenas::share {

// The supplementary groups of a process or thread, as many as a client sends. Empty where it is gone, or pid
// is 0.
std::vector<gid_t> groups_of(pid_t pid);

// File access of the calling thread is this identity's from now on, as nfsd does it: fsuid, fsgid, groups;
// the kernel takes the capabilities over files from whoever is not uid 0. Cheap where the thread has the
// identity already.
void assume(const Identity& identity);

// Holds one capability over files (linux/capability.h) in the calling thread's effective set although its
// identity has not got it. For what a server does by itself, not on a sender's behalf.
class WithCapability {
 public:
  explicit WithCapability(int capability);
  ~WithCapability();
  WithCapability(const WithCapability&) = delete;
  WithCapability& operator=(const WithCapability&) = delete;

 private:
  unsigned before_[2] = {0, 0};
};

}  // namespace truenas::share
