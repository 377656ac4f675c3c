#include "lib/mover/copy/decision.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace truenas::mover;

namespace {

Attributes file() {
  Attributes attributes;
  attributes.type = FileType::regular;
  attributes.inode = 7;
  attributes.size = 10;
  attributes.mode = 0644;
  attributes.links = 1;
  attributes.owner = Owner{1000, 1000};
  attributes.mtime = Timestamp{100, 5};
  attributes.ctime = Timestamp{200, 0};
  return attributes;
}

// As it was made from file() later.
Attributes copy_of(Attributes source) {
  source.inode = 8;
  source.ctime = Timestamp{300, 0};
  return source;
}

struct Row {
  std::string name;
  Attributes source;
  Attributes target;
  Action action;
  bool xattrs;
};

template <class Change>
Attributes with(Attributes attributes, Change change) {
  change(attributes);
  return attributes;
}

const DecisionRules k_chown{};
const DecisionRules k_as_owner{OwnerWay::as_owner, {}, true};

void check(const std::vector<Row>& rows, const DecisionRules& rules) {
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const Decision decision = decide(row.source, &row.target, rules, false);
    CHECK(decision.action == row.action);
    CHECK(decision.xattrs == row.xattrs);
  }
}

}  // namespace

TEST_CASE("a file is kept only when nothing speaks against it") {
  const Attributes source = file();
  const Attributes same = copy_of(source);
  const auto newer = with(source, [](auto& a) { a.ctime = Timestamp{300, 1}; });
  check(
      {
          {"same", source, same, Action::keep, false},
          {"size", with(source, [](auto& a) { a.size = 11; }), same, Action::replace, true},
          {"mtime by one ns", with(source, [](auto& a) { a.mtime.nanoseconds = 6; }), same, Action::replace,
           true},
          {"older mtime", with(source, [](auto& a) { a.mtime.seconds = 99; }), same, Action::replace, true},
          {"mode", with(source, [](auto& a) { a.mode = 0600; }), same, Action::adjust, true},
          {"owner", with(source, [](auto& a) { a.owner.gid = 5; }), same, Action::adjust, true},
          {"newer ctime, unaccounted for", newer, same, Action::replace, true},
          {"ctime of the same tick",
           with(source,
                [](auto& a) {
                  a.ctime = Timestamp{300, 0};
                }),
           same, Action::replace, true},
          {"newer ctime and other mode", with(newer, [](auto& a) { a.mode = 0600; }), same, Action::replace,
           true},
          {"newer ctime and other owner", with(newer, [](auto& a) { a.owner.uid = 1; }), same,
           Action::replace, true},
          {"newer ctime and one link more", with(newer, [](auto& a) { a.links = 2; }), same, Action::replace,
           true},
          {"newer ctime and other size", with(newer, [](auto& a) { a.size = 1; }), same, Action::replace,
           true},
          {"target has more names", source, with(same, [](auto& a) { a.links = 2; }), Action::replace, true},
          {"both have two names", with(source, [](auto& a) { a.links = 2; }),
           with(same, [](auto& a) { a.links = 2; }), Action::keep, false},
          {"both have names, the target more", with(source, [](auto& a) { a.links = 2; }),
           with(same, [](auto& a) { a.links = 3; }), Action::replace, true},
          {"both have names, the target fewer", with(source, [](auto& a) { a.links = 3; }),
           with(same, [](auto& a) { a.links = 2; }), Action::keep, false},
          {"other mode, and other names share the target's",
           with(source, [](auto& a) { a.links = 2, a.mode = 0600; }),
           with(same, [](auto& a) { a.links = 2; }), Action::replace, true},
      },
      k_chown);
}

TEST_CASE("kinds that differ are replaced, directories are entered") {
  const Attributes source = file();
  const auto directory = with(source, [](auto& a) { a.type = FileType::directory; });
  const auto symlink = with(source, [](auto& a) { a.type = FileType::symlink; });
  const auto fifo = with(source, [](auto& a) { a.type = FileType::fifo; });
  check(
      {
          {"file over directory", source, copy_of(directory), Action::replace, true},
          {"directory over file", directory, copy_of(source), Action::replace, true},
          {"directory over symlink", directory, copy_of(symlink), Action::replace, true},
          {"symlink over directory", symlink, copy_of(directory), Action::replace, true},
          {"directory", directory, copy_of(directory), Action::descend, false},
          {"directory with more links", directory, with(copy_of(directory), [](auto& a) { a.links = 9; }),
           Action::descend, false},
          {"directory, newer ctime", with(directory, [](auto& a) { a.ctime.seconds = 301; }),
           copy_of(directory), Action::descend, true},
          {"directory, other mtime", with(directory, [](auto& a) { a.mtime.seconds = 1; }),
           copy_of(directory), Action::descend, true},
          {"directory, other mode", with(directory, [](auto& a) { a.mode = 0700; }), copy_of(directory),
           Action::descend, true},
          {"a symlink's mode says nothing", symlink, with(copy_of(symlink), [](auto& a) { a.mode = 0777; }),
           Action::keep, false},
          {"a fifo's time is only adjusted", fifo, with(copy_of(fifo), [](auto& a) { a.mtime.seconds = 1; }),
           Action::adjust, true},
      },
      k_chown);
}

TEST_CASE("where nothing can be given away, another owner means making it anew") {
  const Attributes source = file();
  const auto other = with(copy_of(source), [](auto& a) { a.owner.uid = 65534; });
  const auto directory = with(source, [](auto& a) { a.type = FileType::directory; });
  check(
      {
          {"file", source, other, Action::replace, true},
          {"directory", directory, with(other, [](auto& a) { a.type = FileType::directory; }),
           Action::replace, true},
          {"same owner, other mode", with(source, [](auto& a) { a.mode = 0600; }), copy_of(source),
           Action::adjust, true},
      },
      k_as_owner);
}

TEST_CASE("what cannot be represented is refused with its reason, whatever is there") {
  const auto device = with(file(), [](auto& a) { a.type = FileType::block_device; });
  CHECK(decide(device, nullptr, k_chown, false).kind == "cannot-be-copied");
  const auto unknown = with(file(), [](auto& a) { a.type = FileType::unknown; });
  CHECK(decide(unknown, nullptr, k_chown, false).action == Action::refuse);
  for (const Owner owner : {Owner{0, 0}, Owner{0, 1000}, Owner{1000, 0}}) {
    const auto roots = with(file(), [&](auto& a) { a.owner = owner; });
    CHECK(decide(roots, nullptr, k_as_owner, false).kind == "owner-refused");
    CHECK(decide(roots, nullptr, k_chown, false).action == Action::create);
  }
  const DecisionRules single{OwnerWay::single_owner, Owner{1000, 1000}, true};
  CHECK(decide(file(), nullptr, single, false).action == Action::create);
  CHECK(decide(with(file(), [](auto& a) { a.owner.uid = 1001; }), nullptr, single, false).why ==
        "owner 1001:1000 cannot be set: everything on the target belongs to 1000:1000");
}

TEST_CASE("asked for again, or without the ctime rule") {
  const Attributes same = copy_of(file());
  const auto directory = with(file(), [](auto& a) { a.type = FileType::directory; });
  const Attributes same_directory = copy_of(directory);
  CHECK(decide(directory, &same_directory, k_chown, true).xattrs);
  CHECK_FALSE(decide(directory, &same_directory, k_chown, false).xattrs);
  CHECK(decide(file(), &same, k_chown, true).action == Action::replace);
  const auto newer = with(file(), [](auto& a) { a.ctime = Timestamp{301, 0}; });
  CHECK(decide(newer, &same, DecisionRules{OwnerWay::chown, {}, false}, false).action == Action::keep);
}
