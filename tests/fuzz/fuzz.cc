#include "tests/fuzz/fuzz.h"

#include <algorithm>

namespace truenas::fuzz {
namespace {

constexpr std::size_t k_longest = 1u << 16;

void change(std::string& text, const std::vector<std::string>& words, Generator& generator) {
  const std::size_t at = generator.below(text.size() + 1);
  const std::size_t length = std::min(generator.below(16) + 1, text.size() - at);
  switch (generator.below(7)) {
    case 0:
      if (at < text.size()) text[at] = static_cast<char>(text[at] ^ (1 << generator.below(8)));
      break;
    case 1:
      text.insert(at, 1, static_cast<char>(generator.below(256)));
      break;
    case 2:
      text.erase(at, length);
      break;
    case 3:
      text.insert(at, text.substr(at, length));
      break;
    case 4:
      text.insert(at, words[generator.below(words.size())]);
      break;
    case 5:
      text.replace(at, length, words[generator.below(words.size())]);
      break;
    default: {  // one thing again and again: depth, and whatever is quadratic
      const std::string word = words[generator.below(words.size())];
      const std::size_t times = generator.below(400);
      std::string many;
      for (std::size_t i = 0; i < times; ++i) many += word;
      text.insert(at, many);
    }
  }
}

}  // namespace

std::string mutate(std::string text, const std::vector<std::string>& words, Generator& generator) {
  for (std::size_t i = generator.below(4) + 1; i > 0; --i) change(text, words, generator);
  if (text.size() > k_longest) text.resize(k_longest);
  return text;
}

std::size_t run(const std::vector<std::string>& seeds, const std::vector<std::string>& words,
                std::size_t count, const std::function<void(const std::string&, Generator&)>& target) {
  const char* seconds = std::getenv("TM_FUZZ_SECONDS");
  const auto end =
      std::chrono::steady_clock::now() + std::chrono::seconds(seconds != nullptr ? std::atol(seconds) : 0);
  Generator generator(20261122);
  std::string last = seeds.front();
  std::size_t done = 0;
  while (done < count || (seconds != nullptr && std::chrono::steady_clock::now() < end)) {
    // Now and then the last input again: mutations pile up.
    const std::string& base = generator.one_in(3) ? last : seeds[generator.below(seeds.size())];
    last = mutate(base, words, generator);
    target(last, generator);
    ++done;
  }
  return done;
}

}  // namespace truenas::fuzz
