#include "lib/base/result.h"

#include <doctest/doctest.h>

#include <memory>
#include <set>

#include "lib/base/secret.h"

using namespace truenas;

namespace {

Result<int> half(int n) {
  if (n % 2 != 0) return make_error(Kind::format, "odd");
  return n / 2;
}

Result<int> quarter(int n) {
  TM_TRY_ASSIGN(const int first, half(n));
  TM_TRY(half(first));
  return half(first);
}

}  // namespace

TEST_CASE("errors travel up unchanged, values too") {
  CHECK(quarter(8).value() == 2);
  CHECK(quarter(6).error().what == "odd");
  CHECK(quarter(7).error().kind == Kind::format);
  CHECK(half(3).value_or(9) == 9);
}

TEST_CASE("an error gains context and hints, its kind stays") {
  const Error error =
      make_error(Kind::conflict, "it changed").in("claim coder/x").with_hint("kubectl get pvc");
  CHECK(error.kind == Kind::conflict);
  CHECK(error.what == "claim coder/x: it changed");
  CHECK(error.hints == std::vector<std::string>{"kubectl get pvc"});
}

TEST_CASE("every kind has a name of its own") {
  std::set<std::string_view> names;
  for (int kind = 0; kind <= static_cast<int>(Kind::bug); ++kind) {
    names.insert(kind_name(static_cast<Kind>(kind)));
  }
  CHECK(names.size() == static_cast<std::size_t>(Kind::bug) + 1);
}

TEST_CASE("move-only values") {
  Result<std::unique_ptr<int>> made = std::make_unique<int>(5);
  REQUIRE(made.ok());
  const std::unique_ptr<int> taken = std::move(made).value();
  CHECK(*taken == 5);
}

TEST_CASE("a secret is reachable by name only") {
  const Secret secret("hunter2");
  CHECK(secret.reveal() == "hunter2");
  CHECK_FALSE(std::is_convertible_v<Secret, std::string>);
  CHECK_FALSE(std::is_convertible_v<Secret, std::string_view>);
}
