#include "lib/mover/copy/workforce.h"

#include <algorithm>

namespace truenas::mover {
namespace {
constexpr double k_gain = 1.10;  // what doubling must at least bring
constexpr unsigned k_rest = 4;   // windows to wait after the first trial that failed; doubles each time
constexpr unsigned k_rest_most = 64;
}  // namespace

Workforce::Workforce(unsigned cap) : cap_(cap == 0 ? k_most : cap), size_(std::clamp(k_start, 1U, cap_)) {}

unsigned Workforce::observe(double work_per_second, bool busy) {
  if (!busy) {
    before_ = 0;
    return size_;
  }
  if (before_ != 0) {
    if (work_per_second < rate_before_ * k_gain) {
      size_ = before_;
      before_ = 0;
      rest_ = std::min(k_rest << std::min(failed_trials_, 4U), k_rest_most);
      ++failed_trials_;
      return size_;
    }
    failed_trials_ = 0;
    before_ = 0;
  }
  if (rest_ > 0) {
    --rest_;
    return size_;
  }
  if (size_ >= cap_) return size_;
  before_ = size_;
  rate_before_ = work_per_second;
  size_ = std::min(size_ * 2, cap_);
  return size_;
}

}  // namespace truenas::mover
