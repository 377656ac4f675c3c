#pragma once
// Nonce: an empty file of an unpredictable name in the root of a copy's target, for as long as the copy runs:
// where else it is seen, there the target is. It must be put nowhere else.

#include <optional>
#include <string>
#include <string_view>

#include "lib/mover/attempt.h"
#include "lib/mover/entry.h"
#include "lib/mover/place.h"

namespace truenas::mover {

// ".volume-mover-<32 hex digits>.nonce": what a run that was killed may have left in the target's root. The
// next run removes it; as content it counts for nobody.
bool is_nonce_name(std::string_view name);
bool is_nonce(std::string_view name, const Attributes& attributes);

class Nonce {
 public:
  Nonce() = default;
  ~Nonce() { (void)remove(); }
  Nonce(const Nonce&) = delete;
  Nonce& operator=(const Nonce&) = delete;

  // Makes it, acting as `keeper`. Errors: openat(2)'s.
  Attempt<void> put(OpenDirectory directory, std::optional<Owner> keeper);
  bool is_put() const { return directory_ != nullptr; }
  const std::string& name() const { return name_; }
  // Whether `directory` is the one that it was put into. Acts as the thread does.
  Attempt<bool> is_in(int directory) const;
  // Takes it away again. Once is enough; more do nothing. `time_too`: the directory gets back the time that
  // it had, where that is allowed.
  Attempt<void> remove(bool time_too = false);

 private:
  OpenDirectory directory_;
  std::optional<Owner> keeper_;
  std::string name_;
  Timestamp time_;  // of the directory, before
};

}  // namespace truenas::mover
