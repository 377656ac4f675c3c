#include <doctest/doctest.h>

#include <limits>

#include "lib/cnpg/proof.h"

using namespace truenas::cnpg;

TEST_CASE("a sequence may be ahead on a replica, never behind") {
  using V = ProofVerdict;
  CHECK(compare_sequence(7, 7, 7, 1) == V::equal);
  CHECK(compare_sequence(7, 7, 39, 1) == V::equal);
  CHECK(compare_sequence(7, 7, 40, 1) == V::different);
  CHECK(compare_sequence(7, 8, 40, 1) == V::equal);
  CHECK(compare_sequence(7, 9, 6, 1) == V::different);
  CHECK(compare_sequence(-3, -3, -99, -3) == V::equal);
  CHECK(compare_sequence(-3, -3, -102, -3) == V::different);
  CHECK(compare_sequence(-3, -3, 0, -3) == V::different);
  constexpr std::int64_t k_max = std::numeric_limits<std::int64_t>::max();
  constexpr std::int64_t k_min = std::numeric_limits<std::int64_t>::min();
  CHECK(compare_sequence(k_max, k_max, k_min, 1) == V::different);
  CHECK(compare_sequence(k_min, k_min, k_max, 1) == V::different);
  CHECK(compare_sequence(k_min, k_min, k_min, k_min) == V::equal);
}
