#include "lib/mover/probe_verdict.h"

#include <doctest/doctest.h>

#include <cerrno>

#include "lib/mover/report.h"

using namespace truenas;
using namespace truenas::mover;

namespace {

constexpr Owner k_root{0, 0}, k_nobody{65534, 65534}, k_user{1000, 1000}, k_stranger{59127, 59127};

IdentityObservation made(Owner as, Owner created_as, std::optional<Owner> after_chown = {}, int here = 0) {
  IdentityObservation seen;
  seen.as = as;
  seen.here_error = here;
  seen.create_error = 0;
  seen.created_as = created_as;
  seen.chown_to = k_stranger;
  seen.chown_error = after_chown ? 0 : EPERM;
  seen.after_chown = after_chown.value_or(created_as);
  return seen;
}

IdentityObservation refused(Owner as, int error) {
  IdentityObservation seen;
  seen.as = as;
  seen.here_error = error;
  seen.create_error = error;
  return seen;
}

ProbeObservation seen(std::string type, Owner owner, std::uint16_t mode, IdentityObservation root,
                      std::vector<IdentityObservation> others) {
  ProbeObservation observation;
  observation.type = std::move(type);
  observation.directory_owner = owner;
  observation.directory_mode = mode;
  observation.root = std::move(root);
  observation.others = std::move(others);
  return observation;
}

struct Case {
  const char* what;
  ProbeObservation seen;
  const char* text;
  Verdict copying;
};

}  // namespace

TEST_CASE("what was seen decides, in every case that a real server was seen to give") {
  const std::vector<Case> cases = {
      {"the old class: maproot",
       seen("nfs4", k_root, 0777, made(k_root, k_root, k_stranger),
            {made(k_user, k_user), made(k_stranger, k_stranger)}),
       "no_root_squash",
       {Squash::none, {}}},
      {"a disk of the node",
       seen("ext4", k_root, 0755, made(k_root, k_root, k_stranger),
            {made(k_user, k_user, {}, EACCES), made(k_stranger, k_stranger, {}, EACCES)}),
       "local file system",
       {Squash::none, {}}},
      {"the runbook's class",
       seen("nfs4", k_root, 0777, made(k_root, k_nobody),
            {made(k_user, k_user), made(k_stranger, k_stranger)}),
       "root_squash",
       {Squash::root, {}}},
      {"gid 0 is squashed too",
       seen("nfs", k_root, 0777, made(k_root, k_nobody),
            {made({1000, 0}, {1000, 65534}), made(k_stranger, k_stranger)}),
       "root_squash",
       {Squash::root, {}}},
      {"root_squash to anonuid 1000, which is also asked for",
       seen("nfs4", k_root, 0777, made(k_root, k_user), {made(k_user, k_user), made(k_stranger, k_stranger)}),
       "root_squash",
       {Squash::root, {}}},
      {"upstream's default: mapall root",
       seen("nfs4", k_root, 0755, made(k_root, k_root, k_stranger),
            {made(k_user, k_root, k_stranger), made(k_stranger, k_root)}),
       "all_squash(root)",
       {Squash::all_to_root, {}}},
      {"mapall 1000",
       seen("nfs4", k_user, 0755, made(k_root, k_user), {made(k_user, k_user), made(k_stranger, k_user)}),
       "all_squash(1000:1000)",
       {Squash::all_to_another, k_user}},
      {"a chown that succeeds and does nothing",
       seen("nfs4", k_user, 0755, made(k_root, k_user, k_user),
            {made(k_user, k_user, k_user), made(k_stranger, k_user)}),
       "all_squash(1000:1000)",
       {Squash::all_to_another, k_user}},
      {"private",
       seen("nfs4", k_user, 0700, made(k_root, k_nobody, {}, EACCES),
            {made(k_user, k_user), made(k_stranger, k_stranger, {}, EACCES)}),
       "private to uid 1000",
       {Squash::root, {}}},
      {"private, root not even in the probe's own directory",
       seen("nfs4", k_user, 0700, refused(k_root, EACCES), {made(k_user, k_user)}),
       "unknown",
       {}},
      {"mapall to a user who does not own the dataset",
       seen("nfs4", k_root, 0755, refused(k_root, EACCES),
            {refused(k_user, EACCES), refused(k_stranger, EACCES)}),
       "unknown",
       {}},
      {"only uid 1000 was asked, and root becomes it",
       seen("nfs4", k_root, 0777, made(k_root, k_user), {made(k_user, k_user)}),
       "unknown",
       {}},
      {"root keeps its name but may not give away",
       seen("nfs4", k_root, 0777, made(k_root, k_root), {made(k_user, k_user)}),
       "unknown",
       {}},
      {"chown succeeds without effect for root",
       seen("nfs4", k_root, 0777, made(k_root, k_root, k_root), {made(k_user, k_user)}),
       "unknown",
       {}},
      {"some stay, some are mapped",
       seen("nfs4", k_root, 0777, made(k_root, k_nobody), {made(k_user, k_user), made(k_stranger, k_nobody)}),
       "unknown",
       {}},
      {"everybody becomes root, who may not give away",
       seen("nfs4", k_root, 0777, made(k_root, k_root), {made(k_user, k_root)}),
       "unknown",
       {}},
      {"a program in between",
       seen("fuse.passthrough", k_root, 0777, made(k_root, k_root, k_stranger), {made(k_user, k_user)}),
       "no_root_squash",
       {Squash::none, {}}},
  };
  for (const Case& one : cases) {
    CAPTURE(one.what);
    const ProbeVerdict verdict = judge(one.seen);
    CHECK(verdict.text() == one.text);
    CHECK(verdict.for_copying().squash == one.copying.squash);
    CHECK(verdict.for_copying().owner == one.copying.owner);
    CHECK_FALSE(verdict.why.empty());
  }
}

TEST_CASE("nothing is concluded from what was not tried") {
  ProbeObservation nothing;
  CHECK(judge(nothing).rule == ProbeRule::unknown);
  CHECK_FALSE(way_for(judge(nothing).for_copying()).ok());
  ProbeObservation read_only = seen("nfs4", k_root, 0777, made(k_root, k_root), {made(k_user, k_user)});
  read_only.read_only = true;
  CHECK(judge(read_only).text() == "read-only");
  CHECK_FALSE(way_for(judge(read_only).for_copying()).ok());
}
