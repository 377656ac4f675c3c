#include "lib/mover/identity.h"

#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <vector>

namespace truenas::mover {
namespace {

struct ThreadIdentity {
  bool known = false;
  Owner own;      // what the thread had at first
  Owner current;  // what it has now
  std::vector<gid_t> own_groups;
};

thread_local ThreadIdentity t_identity;

// An id that no caller can take is answered with the present one: the only way to read it.
std::uint32_t present_uid() {
  return static_cast<std::uint32_t>(::syscall(SYS_setfsuid, static_cast<uid_t>(-1)));
}
std::uint32_t present_gid() {
  return static_cast<std::uint32_t>(::syscall(SYS_setfsgid, static_cast<gid_t>(-1)));
}

void learn() {
  if (t_identity.known) return;
  t_identity.own = t_identity.current = Owner{present_uid(), present_gid()};
  const int count = ::getgroups(0, nullptr);
  if (count > 0) {
    t_identity.own_groups.resize(static_cast<std::size_t>(count));
    const int got = ::getgroups(count, t_identity.own_groups.data());
    t_identity.own_groups.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  }
  t_identity.known = true;
}

// The file system uid is set last and given back first: it is what takes and gives the capabilities.
bool take(const Owner& owner) {
  const bool own = owner == t_identity.own;
  if (present_uid() != t_identity.own.uid) {
    ::syscall(SYS_setfsuid, t_identity.own.uid);
    if (present_uid() != t_identity.own.uid) return false;
  }
  const std::size_t count = own ? t_identity.own_groups.size() : 0;
  // The raw call: the C library's setgroups changes every thread.
  if (::syscall(SYS_setgroups, count, own ? t_identity.own_groups.data() : nullptr) != 0 && !own)
    return false;
  ::syscall(SYS_setfsgid, owner.gid);
  if (present_gid() != owner.gid) return false;
  ::syscall(SYS_setfsuid, owner.uid);
  if (present_uid() != owner.uid) return false;
  t_identity.current = owner;
  return true;
}

std::string identity_text(const Owner& owner) {
  return std::to_string(owner.uid) + ":" + std::to_string(owner.gid);
}

}  // namespace

Acting::Acting(std::optional<Owner> owner) {
  learn();
  const Owner wanted = owner.value_or(t_identity.own);
  if (wanted == t_identity.current) return;
  const Owner before = t_identity.current;
  if (take(wanted)) {
    before_ = before;
    return;
  }
  if (!take(before)) std::abort();
  taken_ = make_error(Kind::refused, "cannot act as " + identity_text(wanted) +
                                         ": the process lacks CAP_SETUID or CAP_SETGID");
}

Acting::~Acting() {
  if (before_ && !take(*before_)) std::abort();
}

Owner acting_identity() {
  learn();
  return t_identity.current;
}

Owner own_identity() {
  learn();
  return t_identity.own;
}

bool can_act() {
  const Owner own = own_identity();
  const Acting acting(Owner{own.uid + 1, own.gid + 1});
  return acting.taken().ok();
}

}  // namespace truenas::mover
