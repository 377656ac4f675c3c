#pragma once
// Acting as a file's owner in this thread only: on NFS the server then sees that owner as the caller, which
// is the one way to keep owners where it squashes root. Each change is read back, because setfsuid(2) and
// setfsgid(2) fail in silence. Never call the C library's setuid family in a program that uses this: those
// change every thread.

#include <optional>

#include "lib/base/result.h"
#include "lib/mover/entry.h"

namespace truenas::mover {

// The thread's own identity is what it was before its first Acting (a thread that is started by one that acts
// begins with that identity as its own: start threads before). It must hold CAP_SETUID and CAP_SETGID.
// While acting as another uid than 0 the thread has no CAP_CHOWN, CAP_DAC_OVERRIDE or CAP_FOWNER in effect.
class Acting {
 public:
  // With nothing: as the thread itself, also inside another Acting. No system call when the thread acts so
  // already.
  explicit Acting(std::optional<Owner> owner);
  // Puts back what was before; aborts the program if that fails, since going on as somebody else would write
  // wrong owners.
  ~Acting();
  Acting(const Acting&) = delete;
  Acting& operator=(const Acting&) = delete;

  // Kind::refused when the identity could not be taken: nothing may be done then.
  const Result<void>& taken() const { return taken_; }

 private:
  std::optional<Owner> before_;
  Result<void> taken_;
};

// The identity (file system uid and gid) that this thread acts as now.
Owner acting_identity();
// The one that it had at first.
Owner own_identity();
// Whether this thread can act as another at all (tried with a uid and gid that it has not).
bool can_act();

}  // namespace truenas::mover
