#include "lib/mover/xattr.h"

#include <sys/xattr.h>

#include <vector>

namespace truenas::mover {
namespace {

constexpr std::size_t k_value_limit = 64 * 1024;  // XATTR_SIZE_MAX

// One file, by descriptor or by name in a directory.
struct Handle {
  int descriptor = -1;
  std::string path;  // through /proc/self/fd; empty: by descriptor

  ssize_t list(char* into, std::size_t size) const {
    return path.empty() ? ::flistxattr(descriptor, into, size) : ::llistxattr(path.c_str(), into, size);
  }
  ssize_t get(const char* name, void* into, std::size_t size) const {
    return path.empty() ? ::fgetxattr(descriptor, name, into, size)
                        : ::lgetxattr(path.c_str(), name, into, size);
  }
  int set(const std::string& name, const std::string& value) const {
    return path.empty() ? ::fsetxattr(descriptor, name.c_str(), value.data(), value.size(), 0)
                        : ::lsetxattr(path.c_str(), name.c_str(), value.data(), value.size(), 0);
  }
  int remove(const std::string& name) const {
    return path.empty() ? ::fremovexattr(descriptor, name.c_str())
                        : ::lremovexattr(path.c_str(), name.c_str());
  }
};

Handle by_name(int directory, const char* name) {
  return Handle{-1, "/proc/self/fd/" + std::to_string(directory) + "/" + name};
}

// Most files have none and most lists fit: one call.
Attempt<std::vector<std::string>> list_names(const Handle& handle) {
  std::string text(1024, '\0');
  ssize_t length = handle.list(text.data(), text.size());
  while (length < 0 && errno == ERANGE && text.size() < 1024 * 1024) {
    text.resize(text.size() * 8);
    length = handle.list(text.data(), text.size());
  }
  if (length < 0) return Attempt<std::vector<std::string>>::failed(errno);
  std::vector<std::string> names;
  for (std::size_t at = 0; at < static_cast<std::size_t>(length);) {
    names.emplace_back(text.c_str() + at);
    at += names.back().size() + 1;
  }
  return names;
}

Attempt<std::map<std::string, XattrRole>> read_roles(const Handle& handle) {
  const Attempt<std::vector<std::string>> names = list_names(handle);
  if (!names) return Attempt<std::map<std::string, XattrRole>>::failed(names.number());
  std::map<std::string, XattrRole> roles;
  for (const std::string& name : *names) roles[name] = role_of(name);
  return roles;
}

Attempt<ExtendedAttributes> read_all(const Handle& handle) {
  Attempt<std::vector<std::string>> names = list_names(handle);
  if (!names && names.number() == EOPNOTSUPP) return ExtendedAttributes{};
  if (!names) return Attempt<ExtendedAttributes>::failed(names.number());
  ExtendedAttributes all;
  std::string value;
  for (const std::string& name : *names) {
    if (role_of(name) == XattrRole::reported_only) continue;
    value.resize(k_value_limit);
    const ssize_t length = handle.get(name.c_str(), value.data(), value.size());
    if (length < 0 && errno == ENODATA) continue;  // removed since the list was read
    if (length < 0) return Attempt<ExtendedAttributes>::failed(errno);
    all[name] = value.substr(0, static_cast<std::size_t>(length));
  }
  return all;
}

XattrFailure write_all(const Handle& handle, const ExtendedAttributes& wanted,
                       const ExtendedAttributes& actual) {
  for (const auto& [name, value] : actual)
    if (!wanted.contains(name) && handle.remove(name) != 0 && errno != ENODATA) return {errno, name};
  // ACLs come last: what comes before may need the permissions that they take away.
  for (const XattrRole role : {XattrRole::carried, XattrRole::posix_acl}) {
    for (const auto& [name, value] : wanted) {
      if (role_of(name) != role) continue;
      const auto there = actual.find(name);
      if (there != actual.end() && there->second == value) continue;
      if (handle.set(name, value) != 0) return {errno, name};
    }
  }
  return {};
}

}  // namespace

XattrRole role_of(std::string_view name) {
  if (name == "system.posix_acl_access" || name == "system.posix_acl_default") return XattrRole::posix_acl;
  for (const std::string_view start : {"system.nfs4_", "security.selinux", "security.ima", "security.evm"})
    if (name.substr(0, start.size()) == start) return XattrRole::reported_only;
  return XattrRole::carried;
}

Attempt<ExtendedAttributes> read_xattrs(int descriptor) {
  return read_all(Handle{descriptor, {}});
}

Attempt<ExtendedAttributes> read_xattrs(int directory, const char* name) {
  return read_all(by_name(directory, name));
}

Attempt<std::map<std::string, XattrRole>> read_xattr_names(int descriptor) {
  return read_roles(Handle{descriptor, {}});
}

Attempt<std::map<std::string, XattrRole>> read_xattr_names(int directory, const char* name) {
  return read_roles(by_name(directory, name));
}

XattrFailure write_xattrs(int descriptor, const ExtendedAttributes& wanted,
                          const ExtendedAttributes& actual) {
  return write_all(Handle{descriptor, {}}, wanted, actual);
}

XattrFailure write_xattrs(int directory, const char* name, const ExtendedAttributes& wanted,
                          const ExtendedAttributes& actual) {
  return write_all(by_name(directory, name), wanted, actual);
}

}  // namespace truenas::mover
