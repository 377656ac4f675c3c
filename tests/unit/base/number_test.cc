#include "lib/base/number.h"

#include <doctest/doctest.h>

using truenas::leading_number;

TEST_CASE("the number that a name begins with") {
  CHECK(leading_number("3.begin") == 3);
  CHECK(leading_number("12") == 12);
  CHECK(leading_number("") == 0);
  CHECK(leading_number("begin") == 0);
  CHECK(leading_number("-1") == 0);
  CHECK(leading_number("99999999999999999999.begin") == 0);
}
