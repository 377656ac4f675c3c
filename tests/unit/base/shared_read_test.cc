#include "lib/base/shared_read.h"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>
#include <vector>

using namespace truenas;

TEST_CASE("whoever asks alone gets what is read for him") {
  SharedRead<int> shared;
  int value = 0;
  const auto read = [&]() -> Result<int> { return ++value; };
  CHECK(*shared.get(read) == 1);
  CHECK(*shared.get(read) == 2);
}

TEST_CASE("an error is an answer, and the next one asks again") {
  SharedRead<int> shared;
  const Result<int> failed =
      shared.get([]() -> Result<int> { return make_error(Kind::unavailable, "no answer"); });
  CHECK(failed.error().what == "no answer");
  CHECK(*shared.get([]() -> Result<int> { return 7; }) == 7);
}

TEST_CASE("nobody gets an answer that was begun before he asked, and askers share") {
  SharedRead<int> shared;
  std::atomic<int> truth{0}, readings{0}, asked{0};
  // Each reading lasts until all the others have asked (or are done): they wait for one of their own.
  constexpr int k_threads = 8, k_rounds = 200;
  std::atomic<bool> stale{false};
  std::vector<std::jthread> threads;
  for (int i = 0; i < k_threads; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < k_rounds; ++round) {
        ++asked;
        const int before = ++truth;
        const auto seen = shared.get([&]() -> Result<int> {
          ++readings;
          return truth.load();
        });
        if (*seen < before) stale = true;
      }
    });
  }
  threads.clear();
  CHECK_FALSE(stale);
  CHECK(asked == k_threads * k_rounds);
  CHECK(readings <= k_threads * k_rounds);
}

TEST_CASE("those who ask while a reading goes on wait for the next one, and share it") {
  SharedRead<int> shared;
  std::atomic<int> readings{0}, waiting{0};
  std::atomic<bool> first_may_end{false};
  std::jthread first([&] {
    static_cast<void>(shared.get([&]() -> Result<int> {
      ++readings;
      while (!first_may_end) std::this_thread::yield();
      return 1;
    }));
  });
  while (readings == 0) std::this_thread::yield();
  std::vector<std::jthread> others;
  std::atomic<int> sum{0};
  for (int i = 0; i < 5; ++i) {
    others.emplace_back([&] {
      ++waiting;
      sum += *shared.get([&]() -> Result<int> {
        ++readings;
        return 2;
      });
    });
  }
  while (waiting < 5) std::this_thread::yield();
  first_may_end = true;
  others.clear();
  CHECK(sum == 10);  // nobody got the first one's answer
  CHECK(readings >= 2);
  CHECK(readings <= 6);  // at most one each
}

TEST_CASE("who is content with an older answer gets one, but no older one, and never an older error") {
  class Stopped final : public Clock {
   public:
    Milliseconds steady() const override { return now; }
    std::chrono::microseconds wall() const override { return now; }
    Result<void> sleep(Milliseconds) override { return {}; }
    Milliseconds now{1000};
  } clock;
  SharedRead<int> shared;
  int value = 0;
  bool fails = false;
  const auto read = [&]() -> Result<int> {
    if (fails) return make_error(Kind::unavailable, "no answer");
    return ++value;
  };
  const auto ask = [&] { return shared.get(read, clock, Milliseconds(100)); };
  CHECK(*ask() == 1);
  clock.now += Milliseconds(100);
  CHECK(*ask() == 1);
  clock.now += Milliseconds(1);
  CHECK(*ask() == 2);
  fails = true;
  clock.now += Milliseconds(101);
  CHECK_FALSE(ask().ok());
  fails = false;
  CHECK(*ask() == 3);
  CHECK(*shared.get(read) == 4);
  CHECK(*ask() == 4);
}
