#pragma once
// Names for what is not complete: a file that takes another's place is written beside it under such a name
// and renamed when all of it is there. What a run that was killed has left behind is known by its name, and
// removed by the next one. A name of the source is content, whatever it looks like.

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

namespace truenas::mover {

class PartialNames {
 public:
  // Those of no other run: 64 random bits are in each.
  PartialNames();
  // ".volume-mover-<16 hex digits>-<number>.partial", another one each time; any thread may ask.
  std::string next();

 private:
  std::string start_;
  std::atomic<std::uint64_t> number_ = 0;
};

bool is_partial_name(std::string_view name);

}  // namespace truenas::mover
