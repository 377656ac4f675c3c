#pragma once
// Attempt: what a system call gave, a value or the errno that it failed with. Callers inside the mover branch
// on the number (ENOENT is an answer, EXDEV asks for another way); where it leaves the mover's effects it
// becomes an Error in words. It must not travel further than one step above the call.

#include <cerrno>
#include <string>
#include <string_view>
#include <utility>

#include "lib/base/result.h"

namespace truenas::mover {

template <class T>
class [[nodiscard]] Attempt {
 public:
  Attempt(T value) : value_(std::move(value)) {}  // NOLINT: implicit by design
  // `number` is an errno; 0 is taken for EIO, so that a failure never reads as success.
  static Attempt failed(int number) { return Attempt(number == 0 ? EIO : number, Failed{}); }

  bool ok() const { return number_ == 0; }
  explicit operator bool() const { return ok(); }
  // The errno; 0 when it worked.
  int number() const { return number_; }
  // Only when ok().
  T& value() & { return value_; }
  const T& value() const& { return value_; }
  T&& value() && { return std::move(value_); }
  T& operator*() & { return value_; }
  const T& operator*() const& { return value_; }
  T* operator->() { return &value_; }
  const T* operator->() const { return &value_; }

 private:
  struct Failed {};
  Attempt(int number, Failed) : number_(number) {}
  int number_ = 0;
  T value_{};
};

template <>
class [[nodiscard]] Attempt<void> {
 public:
  Attempt() = default;
  static Attempt failed(int number) {
    Attempt attempt;
    attempt.number_ = number == 0 ? EIO : number;
    return attempt;
  }
  bool ok() const { return number_ == 0; }
  explicit operator bool() const { return ok(); }
  int number() const { return number_; }

 private:
  int number_ = 0;
};

// "no space left on the volume (ENOSPC)"; the same words with every C library.
std::string errno_text(int number);
// The name of the errno as a finding's kind: "no-space", "quota", "stale", "input-output", "permission",
// "vanished" and so on; "system" for all others.
std::string errno_kind(int number);
// "<doing> <path>: <errno_text>", e.g. doing = "cannot open". Control characters in the path are escaped.
Error system_error(int number, std::string_view doing, std::string_view path);
// A path as it may appear in a sentence: control characters, backslashes and bytes that are not UTF-8 as
// \xNN.
std::string shown(std::string_view path);

}  // namespace truenas::mover
