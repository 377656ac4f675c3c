#include "lib/mover/batches.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>

#include "lib/mover/hashing.h"

using namespace truenas::mover;

namespace {

struct Seen {
  std::vector<int> concluded;
  std::atomic<int> at_once{0}, jobs{0};
  std::atomic<bool> early{false}, overlap{false};
};

class CountingBatch : public Batch {
 public:
  CountingBatch(Seen& seen, int number, std::size_t jobs) : seen_(seen), number_(number), jobs_(jobs) {}
  std::size_t jobs() const override { return jobs_; }
  void run(std::size_t) override {
    ++seen_.jobs;
    ++done_;
  }
  void conclude() override {
    if (done_ != jobs_) seen_.early = true;
    if (++seen_.at_once != 1) seen_.overlap = true;
    seen_.concluded.push_back(number_);
    --seen_.at_once;
  }

 private:
  Seen& seen_;
  int number_;
  std::size_t jobs_;
  std::atomic<std::size_t> done_{0};
};

}  // namespace

TEST_CASE("batches are concluded in order, each after all its jobs, whatever their sizes") {
  for (const unsigned workers : {1u, 2u, 9u}) {
    Seen seen;
    std::size_t jobs = 0;
    {
      BatchPool pool(workers, 5, 100);
      for (int i = 0; i < 500; ++i) {
        const std::size_t size = i % 7 == 0 ? 0 : i % 11 == 0 ? 1000 : static_cast<std::size_t>(i % 5);
        jobs += size;
        pool.submit(std::make_unique<CountingBatch>(seen, i, size));
      }
      pool.wait();
      CHECK(seen.concluded.size() == 500);
    }
    CHECK(std::is_sorted(seen.concluded.begin(), seen.concluded.end()));
    CHECK(seen.jobs == static_cast<int>(jobs));
    CHECK_FALSE(seen.early);
    CHECK_FALSE(seen.overlap);
  }
}

TEST_CASE("XXH3-128 as its authors publish it") {
  // xxHash's own sanity checks of the empty input, and xxhsum -H2 of "abc".
  CHECK(digest_text(Hasher().digest()) == "99aa06d3014798d86001c324468d497f");
  Hasher abc;
  abc.add("a");
  abc.add("bc");
  CHECK(digest_text(abc.digest()) == "06b05ab6733a618578af5f94892f3950");
  CHECK(parse_digest("06b05ab6733a618578af5f94892f3950") == abc.digest());
  CHECK_FALSE(parse_digest("06b05ab6733a618578af5f94892f395").has_value());
  CHECK_FALSE(parse_digest("06b05ab6733a618578af5f94892f395G").has_value());
  Hasher one, other;
  one.add_field("ab");
  one.add_field("c");
  other.add_field("a");
  other.add_field("bc");
  CHECK(one.digest() != other.digest());
}
