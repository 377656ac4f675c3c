#pragma once
// A file descriptor that closes itself. Where the result of close(2) matters (a file that was written), ask
// for it with close(); the destructor's result is lost.

#include <unistd.h>

#include <cerrno>
#include <utility>

#include "lib/mover/attempt.h"

namespace truenas::mover {

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() { reset(); }
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) {
      reset();
      number_ = std::exchange(other.number_, -1);
    }
    return *this;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return number_; }
  bool is_open() const { return number_ >= 0; }
  // The descriptor is gone afterwards whatever comes back (Linux closes it on EINTR too).
  Attempt<void> close() {
    const int number = std::exchange(number_, -1);
    if (number >= 0 && ::close(number) != 0 && errno != EINTR) return Attempt<void>::failed(errno);
    return {};
  }

 private:
  void reset() {
    if (number_ >= 0) ::close(number_);
    number_ = -1;
  }
  int number_ = -1;
};

}  // namespace truenas::mover
