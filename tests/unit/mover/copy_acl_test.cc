// POSIX ACLs and capabilities: carried, kept, taken away, and told apart.
#include <doctest/doctest.h>
#include <sys/xattr.h>

#include "lib/mover/compare.h"
#include "tests/unit/mover/sandbox.h"

using namespace truenas::mover;
using namespace truenas::mover::test;

namespace {

constexpr const char* k_access = "system.posix_acl_access";
constexpr const char* k_default = "system.posix_acl_default";

void append(std::string& bytes, std::uint32_t number, int size) {
  for (int byte = 0; byte < size; ++byte) bytes += static_cast<char>(number >> (8 * byte) & 0xff);
}

// As the kernel keeps it: version 2, then tag, permissions and id of owner, one named user, group, mask,
// others.
std::string acl(unsigned owner, unsigned user, std::uint32_t uid, unsigned group, unsigned mask,
                unsigned other) {
  std::string bytes;
  append(bytes, 2, 4);
  const auto entry = [&](std::uint32_t tag, unsigned permissions, std::uint32_t id) {
    append(bytes, tag, 2);
    append(bytes, permissions, 2);
    append(bytes, id, 4);
  };
  entry(0x01, owner, 0xffffffff);
  entry(0x02, user, uid);
  entry(0x04, group, 0xffffffff);
  entry(0x10, mask, 0xffffffff);
  entry(0x20, other, 0xffffffff);
  return bytes;
}

bool has(const std::string& path, const char* name) {
  return ::lgetxattr(path.c_str(), name, nullptr, 0) >= 0;
}

// cap_net_bind_service, effective and permitted, as setcap writes it.
std::string capability() {
  std::string bytes;
  for (const std::uint32_t word : {0x02000001U, 1U << 10, 0U, 0U, 0U}) append(bytes, word, 4);
  return bytes;
}

// Files, a FIFO and directories with ACLs, all of one owner.
void make_acls(const Sandbox& sandbox) {
  make_directory(sandbox.source("shared"));
  write_file(sandbox.source("shared/plain"), "made before the default");
  write_file(sandbox.source("file"), "x");
  write_file(sandbox.source("closed"), "x");
  make_fifo(sandbox.source("fifo"));
  set_xattr(sandbox.source("file"), k_access, acl(6, 6, 1001, 4, 6, 0));
  set_xattr(sandbox.source("closed"), k_access, acl(0, 4, 1001, 0, 4, 0));
  set_xattr(sandbox.source("fifo"), k_access, acl(6, 2, 1001, 0, 2, 0));
  set_xattr(sandbox.source("shared"), k_access, acl(7, 7, 1001, 5, 7, 5));
  set_xattr(sandbox.source("shared"), k_default, acl(7, 7, 1001, 5, 7, 0));
  write_file(sandbox.source("shared/inherits"), "made after it");
  make_directory(sandbox.source("shared/below"));
  for (const char* name :
       {"shared/plain", "shared/inherits", "shared/below", "shared", "file", "closed", "fifo"})
    set_owner(sandbox.source(name), 1000, 1000);
  REQUIRE(has(sandbox.source("shared/inherits"), k_access));
  REQUIRE(has(sandbox.source("shared/below"), k_default));
  for (const std::string& root : {sandbox.source(), sandbox.target()}) set_owner(root, 1000, 1000);
}

std::string compared(const Sandbox& sandbox) {
  const auto source = Root::open(sandbox.source(), {});
  const auto target = Root::open(sandbox.target(), {});
  RecordingReporter reporter;
  const Outcome outcome = compare(*source, *target, CompareOptions{}, reporter);
  return std::to_string(outcome.exit) + " " + reporter.all();
}

}  // namespace

TEST_CASE("ACLs arrive, and a second run has nothing to do, by root and by the owners") {
  for (const OwnerWay way : {OwnerWay::chown, OwnerWay::as_owner}) {
    CAPTURE(way_name(way));
    const Sandbox sandbox;
    make_acls(sandbox);
    CopyOptions options = deleting();
    options.way = way;
    CHECK(run_copy(sandbox, options).findings == "");
    CHECK(differences(sandbox) == "");
    CHECK(compared(sandbox) == "0 ");
    const Copied second = run_copy(sandbox, options);
    CHECK(second.count("files-copied") + second.count("adjusted") == 0);
  }
}

TEST_CASE("what is made where the target has a default ACL inherits nothing of it") {
  for (const OwnerWay way : {OwnerWay::chown, OwnerWay::as_owner}) {
    CAPTURE(way_name(way));
    const Sandbox sandbox;
    make_acls(sandbox);
    CopyOptions options = deleting();
    options.way = way;
    REQUIRE(run_copy(sandbox, options).outcome.exit == 0);
    write_file(sandbox.source("shared/new"), "no ACL", 0600);
    write_file(sandbox.source("shared/new and closed"), "no ACL", 0000);
    make_directory(sandbox.source("shared/new directory"), 0700);
    make_fifo(sandbox.source("shared/new fifo"), 0600);
    for (const char* name :
         {"shared/new", "shared/new and closed", "shared/new directory", "shared/new fifo"}) {
      const std::string path = sandbox.source(name);
      for (const char* kind : {k_access, k_default}) ::lremovexattr(path.c_str(), kind);
      set_owner(path, 1000, 1000);
    }
    for (const char* name : {"shared/new", "shared/new fifo"}) set_mode(sandbox.source(name), 0600);
    set_mode(sandbox.source("shared/new and closed"), 0);
    set_mode(sandbox.source("shared/new directory"), 0700);
    CHECK(run_copy(sandbox, options).findings == "");
    CHECK(differences(sandbox) == "");
  }
}

TEST_CASE("an ACL that changes or goes is followed, also where nothing else differs") {
  const Sandbox sandbox;
  make_acls(sandbox);
  REQUIRE(run_copy(sandbox, deleting()).outcome.exit == 0);
  set_xattr(sandbox.source("file"), k_access, acl(6, 4, 1002, 4, 6, 0));
  REQUIRE(::lremovexattr(sandbox.source("fifo").c_str(), k_access) == 0);
  REQUIRE(::lremovexattr(sandbox.source("shared").c_str(), k_default) == 0);
  CHECK(run_copy(sandbox, deleting()).findings == "");
  CHECK(differences(sandbox) == "");
}

TEST_CASE("compare tells an ACL that is other, missing or too much") {
  const Sandbox sandbox;
  make_acls(sandbox);
  REQUIRE(run_copy(sandbox, deleting()).outcome.exit == 0);
  set_xattr(sandbox.target("file"), k_access, acl(6, 6, 1002, 4, 6, 0));
  REQUIRE(::lremovexattr(sandbox.target("shared").c_str(), k_default) == 0);
  set_xattr(sandbox.target("shared/plain"), k_access, acl(6, 0, 1001, 4, 4, 4));
  CHECK(compared(sandbox) ==
        "3 xattr file: system.posix_acl_access differs\n"
        "xattr shared: system.posix_acl_default missing\n"
        "xattr shared/plain: system.posix_acl_access extraneous\n");
  CopyOptions options = deleting();
  options.again = {"file", "shared", "shared/plain"};
  CHECK(run_copy(sandbox, options).findings == "");
  CHECK(compared(sandbox) == "0 ");
}

TEST_CASE("a capability is there after the owner was set, in a copy and in a repair") {
  const Sandbox sandbox;
  write_file(sandbox.source("server"), "#!", 0755);
  set_owner(sandbox.source("server"), 1000, 1000);
  set_xattr(sandbox.source("server"), "security.capability", capability());
  REQUIRE(run_copy(sandbox, deleting()).findings == "");
  CHECK(differences(sandbox) == "");
  // chown takes it away, and has to be undone by another chown.
  set_owner(sandbox.target("server"), 1001, 1001);
  REQUIRE_FALSE(has(sandbox.target("server"), "security.capability"));
  const Copied repaired = run_copy(sandbox, deleting());
  CHECK(repaired.findings == "");
  CHECK(repaired.count("adjusted") == 1);
  CHECK(differences(sandbox) == "");
}
