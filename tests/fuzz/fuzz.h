#pragma once
// Small deterministic fuzzing: mutations of seeds from a fixed generator, so that every run tries the same
// inputs in the same order. What is asked of each input: no crash, no hang, and what the target itself
// checks. TM_FUZZ_SECONDS=600 goes on for so long (make test-long, under sanitizers); without it, a fixed
// count.

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace truenas::fuzz {

// SplitMix64: the same everywhere, unlike the distributions of <random>.
class Generator {
 public:
  explicit Generator(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  std::size_t below(std::size_t limit) { return limit == 0 ? 0 : static_cast<std::size_t>(next() % limit); }
  bool one_in(std::size_t n) { return below(n) == 0; }

 private:
  std::uint64_t state_;
};

// Changes `text` in one to four places: bytes flipped, removed, repeated, swapped for a word that matters to
// the format.
std::string mutate(std::string text, const std::vector<std::string>& words, Generator& generator);

// Calls `target` with mutated seeds: `count` times, or as long as TM_FUZZ_SECONDS says. Returns how many.
std::size_t run(const std::vector<std::string>& seeds, const std::vector<std::string>& words,
                std::size_t count,
                const std::function<void(const std::string& input, Generator& generator)>& target);

}  // namespace truenas::fuzz
