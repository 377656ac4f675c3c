// The other pure parts: owners, access, mounts, bandwidth, the number of workers.
#include <doctest/doctest.h>

#include "lib/mover/attempt.h"
#include "lib/mover/copy/access.h"
#include "lib/mover/copy/bandwidth.h"
#include "lib/mover/copy/workforce.h"
#include "lib/mover/ownership.h"
#include "lib/mover/tree.h"
#include "lib/mover/utf8.h"

using namespace truenas::mover;

TEST_CASE("each verdict has one way to set owners, and an unknown one has none") {
  CHECK(way_for(Verdict{Squash::none, {}}).value() == OwnerWay::chown);
  CHECK(way_for(Verdict{Squash::all_to_root, {}}).value() == OwnerWay::chown);
  CHECK(way_for(Verdict{Squash::root, {}}).value() == OwnerWay::as_owner);
  CHECK(way_for(Verdict{Squash::all_to_another, Owner{1000, 1000}}).value() == OwnerWay::single_owner);
  CHECK_FALSE(way_for(Verdict{}).ok());
  for (const OwnerWay way : {OwnerWay::chown, OwnerWay::as_owner, OwnerWay::single_owner})
    CHECK(parse_way(way_name(way)).value() == way);
  CHECK_FALSE(parse_way("rename").ok());
}

TEST_CASE("owner mappings are read strictly and applied by the first that fits") {
  for (const char* wrong : {"", "0:0", "0:0=", "0=1000", "0:0=1000", "a:0=1:1", "0:0=1:1x", "-1:0=1:1",
                            "4294967295:0=1:1", "4294967296:0=1:1", "0:0=1:1=2:2"})
    CHECK_FALSE(parse_owner_rule(wrong).ok());
  for (const char* right : {"0:0=1000:1000", "*:0=*:1000", "0:*=1000:*", "4294967294:0=1:1"})
    CHECK(render(parse_owner_rule(right).value()) == right);
  const OwnerMap map({parse_owner_rule("0:0=1:2").value(), parse_owner_rule("0:*=3:*").value(),
                      parse_owner_rule("*:0=*:4").value()});
  CHECK(map.apply(Owner{0, 0}) == Owner{1, 2});
  CHECK(map.apply(Owner{0, 9}) == Owner{3, 9});
  CHECK(map.apply(Owner{9, 0}) == Owner{9, 4});
  CHECK(map.apply(Owner{9, 9}) == Owner{9, 9});
}

TEST_CASE("who makes, keeps and removes in a directory") {
  const Owner alice{1000, 1000};
  const Owner bob{1001, 1001};
  const Owner root{};
  // Root may chown: it acts as the owner only at the owner's home, where that saves the chown.
  CHECK(maker_of(OwnerWay::chown, alice, alice, 0755, true) == alice);
  CHECK_FALSE(maker_of(OwnerWay::chown, alice, alice, 0755, false).has_value());
  CHECK_FALSE(maker_of(OwnerWay::chown, alice, alice, 0555, true).has_value());
  CHECK_FALSE(maker_of(OwnerWay::chown, alice, alice, 02755, true).has_value());
  CHECK_FALSE(maker_of(OwnerWay::chown, alice, root, 0777, true).has_value());
  CHECK_FALSE(maker_of(OwnerWay::chown, root, root, 0755, true).has_value());
  CHECK_FALSE(keeper_of(OwnerWay::chown, alice).has_value());
  CHECK_FALSE(must_widen(OwnerWay::chown, std::nullopt, alice, 0));
  // Root is squashed: everything by owners.
  CHECK(maker_of(OwnerWay::as_owner, alice, bob, 0700, true) == alice);
  CHECK(keeper_of(OwnerWay::as_owner, bob) == bob);
  CHECK_FALSE(keeper_of(OwnerWay::as_owner, root).has_value());
  CHECK(remover_of(OwnerWay::as_owner, bob, alice) == bob);
  CHECK(remover_of(OwnerWay::as_owner, root, alice) == alice);
  CHECK(must_widen(OwnerWay::as_owner, alice, bob, 0755));
  CHECK_FALSE(must_widen(OwnerWay::as_owner, alice, bob, 0777));
  CHECK_FALSE(must_widen(OwnerWay::as_owner, bob, bob, 0700));
  CHECK(must_widen(OwnerWay::as_owner, bob, bob, 0500));
  CHECK(must_widen(OwnerWay::as_owner, bob, bob, 02755));
  CHECK_FALSE(must_widen(OwnerWay::as_owner, bob, root, 02777));
  CHECK(must_widen(OwnerWay::as_owner, bob, root, 0755));
  // Everything belongs to one: only he himself can be in his way.
  CHECK_FALSE(maker_of(OwnerWay::single_owner, alice, alice, 0755, true).has_value());
  CHECK(must_widen(OwnerWay::single_owner, std::nullopt, alice, 0500));
  CHECK_FALSE(must_widen(OwnerWay::single_owner, std::nullopt, alice, 0700));
}

TEST_CASE("a directory is made with its final mode where it can be filled with it") {
  CHECK(first_mode(OwnerWay::chown, 02755, true) == 0755);
  CHECK(first_mode(OwnerWay::chown, 02500, true) == 0700);
  CHECK(first_mode(OwnerWay::chown, 0, false) == 0700);
  CHECK(first_mode(OwnerWay::as_owner, 0, false) == 0777);
  CHECK(first_mode(OwnerWay::as_owner, 0750, false) == 0750);
  CHECK(first_mode(OwnerWay::as_owner, 0750, true) == 0777);
  CHECK(first_mode(OwnerWay::as_owner, 0550, false) == 0777);
  CHECK(first_mode(OwnerWay::as_owner, 02755, false) == 0777);
  CHECK(first_mode(OwnerWay::as_owner, 01755, false) == 0755);
  CHECK(first_mode(OwnerWay::single_owner, 0755, true) == 0755);
}

TEST_CASE("the mount table is read with its escapes, and the innermost mount is found") {
  const auto mounts = parse_mountinfo(
      "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
      "23 22 0:41 / /mnt/a\\040b rw,relatime shared:1 master:2 - nfs4 nas:/mnt/p/v\\134x rw,vers=4.2\n"
      "24 23 0:42 /sub /mnt/a\\040b rw - nfs nas:/mnt/p rw\n"
      "not a line\n"
      "25 22 8:1 /x /mnt/ab rw -\n");
  REQUIRE(mounts.size() == 3);
  CHECK(mounts[1].point == "/mnt/a b");
  CHECK(mounts[1].source == "nas:/mnt/p/v\\x");
  CHECK(mounts[1].options == "rw,relatime,rw,vers=4.2");
  CHECK(mounts[1].device == 41);
  CHECK(mounts[0].device == ((8ULL << 32) | 1));
  CHECK(find_mount(mounts, "/mnt/a b/c")->id == 24);  // mounted over the other
  CHECK(find_mount(mounts, "/mnt/a bc")->id == 22);
  CHECK(find_mount(mounts, "/")->id == 22);
  CHECK(find_mount({}, "/") == nullptr);
}

TEST_CASE("bytes go at the rate that is asked for, and idle time is not saved up") {
  using std::chrono::microseconds;
  Allowance allowance(1000);
  CHECK(allowance.book(500, microseconds(10'000'000)) == microseconds(0));
  CHECK(allowance.book(500, microseconds(10'000'000)) == microseconds(250'000));
  CHECK(allowance.book(500, microseconds(10'000'000)) == microseconds(750'000));
  CHECK(allowance.book(100, microseconds(99'000'000)) == microseconds(0));
  CHECK(allowance.book(1000, microseconds(99'000'000)) == microseconds(0));
  CHECK(allowance.book(1, microseconds(99'000'000)) == microseconds(850'000));
  CHECK(BandwidthLimit(0).portion(1 << 30) == 1 << 30);
  CHECK(BandwidthLimit(1000).portion(1 << 30) == 64 * 1024);
}

TEST_CASE("workers are added while that pays and taken back where it does not") {
  Workforce workforce(0);
  CHECK(workforce.size() == 8);
  CHECK(workforce.observe(100, false) == 8);  // nothing learnt from a window without enough to do
  CHECK(workforce.observe(100, true) == 16);
  CHECK(workforce.observe(190, true) == 32);
  CHECK(workforce.observe(195, true) == 16);  // twice the workers brought 3 %
  for (int window = 0; window < 4; ++window) CHECK(workforce.observe(190, true) == 16);
  CHECK(workforce.observe(190, true) == 32);
  CHECK(workforce.observe(380, true) == 32);
  CHECK(Workforce(4).size() == 4);
  Workforce few(4);
  CHECK(few.observe(1, true) == 4);
  Workforce ten(10);
  CHECK(ten.observe(1, true) == 10);
}

TEST_CASE("text is told from bytes that are no UTF-8") {
  CHECK(is_utf8(""));
  CHECK(is_utf8("plain \xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80"));
  for (const char* bad : {"\xff", "\xc3", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\x80"})
    CHECK_FALSE(is_utf8(bad));
  CHECK(shown("a\nb\xff\\ \xc3\xa4") == "a\\x0ab\\xff\\x5c \xc3\xa4");
}
