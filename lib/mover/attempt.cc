#include "lib/mover/attempt.h"

#include <array>

#include "lib/mover/utf8.h"

namespace truenas::mover {
namespace {

struct Words {
  int number;
  const char* kind;
  const char* name;
  const char* text;
};

constexpr std::array k_words{
    Words{ENOSPC, "no-space", "ENOSPC", "no space left on the volume"},
    Words{EDQUOT, "quota", "EDQUOT", "the volume's quota is used up"},
    Words{ESTALE, "stale", "ESTALE", "stale file handle: the share or the file is gone on the server"},
    Words{EIO, "input-output", "EIO", "input/output error"},
    Words{EACCES, "permission", "EACCES", "permission denied"},
    Words{EPERM, "permission", "EPERM", "operation not permitted"},
    Words{EROFS, "read-only", "EROFS", "read-only file system"},
    Words{ENOENT, "vanished", "ENOENT", "no such file or directory"},
    Words{EEXIST, "appeared", "EEXIST", "it exists already"},
    Words{ENOTDIR, "changed-kind", "ENOTDIR", "not a directory"},
    Words{EISDIR, "changed-kind", "EISDIR", "is a directory"},
    Words{ELOOP, "changed-kind", "ELOOP", "a symbolic link where none may be"},
    Words{ENOTEMPTY, "not-empty", "ENOTEMPTY", "directory not empty"},
    Words{EFBIG, "too-large", "EFBIG", "file too large"},
    Words{EMLINK, "too-many-links", "EMLINK", "too many links"},
    Words{ENAMETOOLONG, "name-too-long", "ENAMETOOLONG", "name too long"},
    Words{EILSEQ, "name-refused", "EILSEQ", "the file system refuses these bytes in a name"},
    Words{EINVAL, "invalid", "EINVAL", "invalid argument"},
    Words{EOPNOTSUPP, "not-supported", "EOPNOTSUPP", "not supported"},
    Words{ENOSYS, "not-supported", "ENOSYS", "not supported by this kernel"},
    Words{EXDEV, "other-filesystem", "EXDEV", "on another file system"},
    Words{EMFILE, "descriptors", "EMFILE", "too many open files"},
    Words{ENFILE, "descriptors", "ENFILE", "too many open files in the system"},
    Words{ENOMEM, "memory", "ENOMEM", "out of memory"},
    Words{ETXTBSY, "busy", "ETXTBSY", "text file busy"},
    Words{EBUSY, "busy", "EBUSY", "device or resource busy"},
    Words{ETIMEDOUT, "server-away", "ETIMEDOUT", "the server did not answer in time"},
    Words{EREMOTEIO, "input-output", "EREMOTEIO", "remote input/output error"},
    Words{EINTR, "interrupted", "EINTR", "interrupted"},
    Words{E2BIG, "too-large", "E2BIG", "too large for the file system"},
    Words{ERANGE, "too-large", "ERANGE", "out of range for the file system"},
};

const Words* find_words(int number) {
  for (const Words& words : k_words)
    if (words.number == number) return &words;
  return nullptr;
}

Kind kind_of(int number) {
  switch (number) {
    case ENOENT:
      return Kind::not_found;
    case EEXIST:
    case ENOTEMPTY:
    case EBUSY:
      return Kind::conflict;
    case EACCES:
    case EPERM:
    case EROFS:
      return Kind::auth;
    default:
      return Kind::unavailable;
  }
}

}  // namespace

std::string errno_text(int number) {
  const Words* words = find_words(number);
  if (words == nullptr) return "errno " + std::to_string(number);
  return std::string(words->text) + " (" + words->name + ")";
}

std::string errno_kind(int number) {
  const Words* words = find_words(number);
  return words == nullptr ? "system" : words->kind;
}

Error system_error(int number, std::string_view doing, std::string_view path) {
  return make_error(kind_of(number), std::string(doing) + " " + shown(path) + ": " + errno_text(number));
}

std::string shown(std::string_view path) {
  constexpr char k_digits[] = "0123456789abcdef";
  std::string text;
  for (std::size_t at = 0; at < path.size();) {
    const std::size_t length = utf8_length(path.substr(at));
    const auto byte = static_cast<unsigned char>(path[at]);
    if (length == 0 || byte < 0x20 || byte == 0x7f || byte == '\\') {
      text += "\\x";
      text += k_digits[byte >> 4];
      text += k_digits[byte & 15];
      ++at;
    } else {
      text += path.substr(at, length);
      at += length;
    }
  }
  return text;
}

}  // namespace truenas::mover
