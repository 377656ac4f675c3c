#include "lib/coder/tar.h"

#include <fmt/format.h>

#include <cstdint>
#include <optional>
#include <set>

#include "lib/base/text.h"

namespace truenas::coder {
namespace {

constexpr std::size_t k_block = 512;
constexpr std::size_t k_checksum_at = 148, k_checksum_size = 8;

std::string_view field(std::string_view header, std::size_t at, std::size_t size) {
  return header.substr(at, size);
}

// Up to the first NUL.
std::string_view text_field(std::string_view header, std::size_t at, std::size_t size) {
  const std::string_view whole = field(header, at, size);
  return whole.substr(0, whole.find('\0'));
}

// Octal digits between spaces and NULs, or GNU's base 256. nullopt: neither, negative or over 2^62.
std::optional<std::uint64_t> number_field(std::string_view digits) {
  const auto byte = [](char c) { return static_cast<unsigned char>(c); };
  std::uint64_t value = 0;
  if (!digits.empty() && (byte(digits.front()) & 0x80u) != 0) {
    if (byte(digits.front()) != 0x80u) return std::nullopt;
    for (const char c : digits.substr(1)) {
      if (value >> 54 != 0) return std::nullopt;
      value = value << 8 | byte(c);
    }
    return value;
  }
  while (!digits.empty() && (digits.front() == ' ' || digits.front() == '\0')) digits.remove_prefix(1);
  while (!digits.empty() && (digits.back() == ' ' || digits.back() == '\0')) digits.remove_suffix(1);
  for (const char c : digits) {
    if (c < '0' || c > '7') return std::nullopt;
    value = value << 3 | static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

std::optional<std::uint64_t> decimal(std::string_view digits) {
  if (digits.empty() || digits.size() > 18) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

// The sum of the header's bytes, its own field counted as spaces; old writers summed signed chars.
bool checksum_fits(std::string_view header) {
  const auto stored = number_field(field(header, k_checksum_at, k_checksum_size));
  std::int64_t plain = 0, signed_sum = 0;
  for (std::size_t i = 0; i < header.size(); ++i) {
    const bool own = i >= k_checksum_at && i < k_checksum_at + k_checksum_size;
    const char c = own ? ' ' : header[i];
    plain += static_cast<unsigned char>(c);
    signed_sum += static_cast<signed char>(c);
  }
  return stored &&
         (static_cast<std::int64_t>(*stored) == plain || static_cast<std::int64_t>(*stored) == signed_sum);
}

struct Pax {
  std::optional<std::string> path;
  std::optional<std::uint64_t> size;
};

// Records "<length> <key>=<value>\n", the length counting itself.
bool read_pax(std::string_view records, Pax& pax) {
  while (!records.empty()) {
    const std::size_t space = records.find(' ');
    if (space == std::string_view::npos) return false;
    const auto length = decimal(records.substr(0, space));
    if (!length || *length <= space + 1 || *length > records.size()) return false;
    const auto whole = static_cast<std::size_t>(*length);
    if (records[whole - 1] != '\n') return false;
    const std::string_view record = records.substr(space + 1, whole - space - 2);
    records.remove_prefix(whole);
    const std::size_t equals = record.find('=');
    if (equals == std::string_view::npos || equals == 0) return false;
    const std::string_view key = record.substr(0, equals), value = record.substr(equals + 1);
    if (value.find('\0') != std::string_view::npos && key == "path") return false;
    if (key == "path") pax.path = std::string(value);
    if (key == "size" && !(pax.size = decimal(value))) return false;
    if (key.starts_with("GNU.sparse.")) return false;
  }
  return true;
}

class TarReader {
 public:
  TarReader(std::string_view archive, std::string_view source) : rest_(archive), source_(source) {}

  Result<std::vector<TarFile>> read() {
    while (!rest_.empty() && !ended_) TM_TRY(read_entry());
    if (next_.path || next_.size) return bad("ends after the name of a file that is not there");
    return std::move(files_);
  }

 private:
  Error bad(std::string_view why) const {
    return make_error(Kind::format, fmt::format("{}: not a tar archive: {}", source_, why));
  }

  Result<void> read_entry() {
    if (rest_.size() < k_block) return bad("ends within a header");
    const std::string_view header = rest_.substr(0, k_block);
    rest_.remove_prefix(k_block);
    if (header.find_first_not_of('\0') == std::string_view::npos) {
      ended_ = true;
      return {};
    }
    if (!checksum_fits(header)) return bad("a header's checksum does not fit");
    const std::string_view magic = field(header, 257, 6);
    const bool posix = magic == std::string_view("ustar\0", 6);
    if (!posix && magic != "ustar ") return bad("a header is neither ustar nor GNU");
    const auto size = number_field(field(header, 124, 12));
    if (!size) return bad("a size is not a number");
    return take(header, posix, *size);
  }

  Result<void> take(std::string_view header, bool posix, std::uint64_t header_size) {
    const char type = header[156];
    const bool is_extension = type == 'x' || type == 'g' || type == 'L' || type == 'K';
    // Links, directories and devices have no content, whatever their size field says.
    const bool has_content = is_extension || type == '0' || type == '\0' || type > '6';
    const std::uint64_t size = !has_content   ? 0
                               : is_extension ? header_size
                                              : next_.size.value_or(header_size);
    if (size > rest_.size()) return bad("ends within a file");
    const std::string_view content = rest_.substr(0, static_cast<std::size_t>(size));
    const std::size_t padded = (content.size() + k_block - 1) / k_block * k_block;
    rest_.remove_prefix(std::min(padded, rest_.size()));
    if (type == 'x' && !read_pax(content, next_)) return bad("a pax record is malformed");
    if (Pax unused; type == 'g' && !read_pax(content, unused)) return bad("a pax record is malformed");
    if (type == 'L') next_.path = std::string(content.substr(0, content.find('\0')));
    if (is_extension) return {};
    if (type == 'S' || type == 'M' || type == 'V') return bad("a sparse or divided file is in it");
    const std::string path = path_of(header, posix);
    next_ = Pax();
    if (type != '0' && type != '\0' && type != '7') return {};
    if (type == '\0' && path.ends_with("/")) return {};
    if (!seen_.insert(path).second) return bad(fmt::format("{} is in it twice", quote(path)));
    files_.push_back({path, content});
    return {};
  }

  std::string path_of(std::string_view header, bool posix) const {
    std::string path;
    if (next_.path) {
      path = *next_.path;
    } else {
      const std::string_view prefix = posix ? text_field(header, 345, 155) : std::string_view();
      path = prefix.empty() ? "" : std::string(prefix) + "/";
      path += text_field(header, 0, 100);
    }
    while (path.starts_with("./")) path.erase(0, 2);
    return path;
  }

  std::string_view rest_;
  const std::string_view source_;
  Pax next_;  // what extension headers say of the next file
  bool ended_ = false;
  std::set<std::string> seen_;
  std::vector<TarFile> files_;
};

}  // namespace

Result<std::vector<TarFile>> read_tar(std::string_view archive, std::string_view source) {
  return TarReader(archive, source).read();
}

}  // namespace truenas::coder
