#include "lib/mover/manifest_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <charconv>

#include "lib/base/text.h"
#include "lib/mover/attempt.h"
#include "lib/mover/path_text.h"
#include "lib/mover/probe_verdict.h"

namespace truenas::mover {
namespace {

constexpr std::string_view k_first_line = "volume-mover manifest 1";
constexpr std::string_view k_hash_line = "hash xxh3-128";
constexpr std::string_view k_xattrs_line = "xattrs yes", k_no_xattrs_line = "xattrs no";
constexpr std::size_t k_longest_line = std::size_t{16} << 20;  // a path of a million levels

std::string mtime_text(Timestamp time) {
  std::string nanoseconds = std::to_string(time.nanoseconds);
  nanoseconds.insert(0, 9 - nanoseconds.size(), '0');
  return std::to_string(time.seconds) + "." + nanoseconds;
}

template <class Number>
bool read_number(std::string_view text, Number& number, int base = 10) {
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  return !text.empty() && problem == std::errc{} && end == text.data() + text.size();
}

bool read_mtime(std::string_view text, Timestamp& time) {
  const std::size_t dot = text.find('.');
  return dot != std::string_view::npos && text.size() - dot == 10 &&
         read_number(text.substr(0, dot), time.seconds) &&
         read_number(text.substr(dot + 1), time.nanoseconds);
}

bool read_owner(std::string_view text, Owner& owner) {
  const std::size_t colon = text.find(':');
  return colon != std::string_view::npos && read_number(text.substr(0, colon), owner.uid) &&
         read_number(text.substr(colon + 1), owner.gid);
}

// Whether what was read would be written in the same way: one form for one meaning.
bool read_root(const std::string& text, ManifestHeader& header) {
  const std::vector<std::string> fields = split(text, ' ');
  if (fields.size() != 6) return false;
  const std::optional<Digest> xattrs = parse_digest(fields[4]);
  if (!xattrs || (fields[5] != "carried" && fields[5] != "expected")) return false;
  header.root_xattrs = *xattrs;
  header.root_carried = fields[5] == "carried";
  return read_owner(fields[1], header.root_owner) && read_number(fields[2], header.root_mode, 8) &&
         header.root_mode <= 07777 && read_mtime(fields[3], header.root_mtime);
}

}  // namespace

std::string render(const ManifestHeader& header) {
  std::string text = std::string(k_first_line) + "\n" + std::string(k_hash_line) + "\n" +
                     std::string(header.xattrs ? k_xattrs_line : k_no_xattrs_line) + "\n";
  for (const OwnerRule& rule : header.owner_rules) text += "map-owner " + render(rule) + "\n";
  for (const std::string& path : header.leave_out) text += "leave-out " + shown(path) + "\n";
  return text + "root " + owner_text(header.root_owner) + " " + mode_text(header.root_mode) + " " +
         mtime_text(header.root_mtime) + " " + digest_text(header.root_xattrs) + " " +
         (header.root_carried ? "carried" : "expected") + "\n";
}

std::string render(const ManifestLine& line) {
  return digest_text(line.hash) + " " + std::to_string(line.entries) + " " + shown(line.path) + "\n";
}

std::string render(const ManifestEnd& end) {
  return "end " + digest_text(end.hash) + " " + std::to_string(end.directories) + " " +
         std::to_string(end.entries) + "\n";
}

void ManifestSum::add(const ManifestLine& line) {
  hasher_.add(render(line));
  ++directories_;
  entries_ += line.entries;
}

ManifestEnd ManifestSum::end() const {
  return ManifestEnd{hasher_.digest(), directories_, entries_};
}

int compare_in_walk_order(std::string_view left, std::string_view right) {
  if (left == ".") left = {};
  if (right == ".") right = {};
  const auto rank = [](char c) { return c == '/' ? 0 : static_cast<int>(static_cast<unsigned char>(c)); };
  for (std::size_t i = 0; i < left.size() && i < right.size(); ++i) {
    if (left[i] != right[i]) return rank(left[i]) - rank(right[i]);
  }
  return left.size() < right.size() ? -1 : left.size() > right.size() ? 1 : 0;
}

Error ManifestReader::bad(std::string what) const {
  return make_error(Kind::format, "manifest, line " + std::to_string(number_) + ": " + std::move(what));
}

Result<std::string> ManifestReader::line() {
  while (true) {
    const std::size_t end = buffer_.find('\n', at_);
    if (end != std::string::npos) {
      std::string text = buffer_.substr(at_, end - at_);
      at_ = end + 1;
      ++number_;
      return text;
    }
    if (file_ended_) {
      ++number_;
      return bad(buffer_.size() > at_ ? "has no end: the file is cut off" : "missing: the file is cut off");
    }
    buffer_.erase(0, at_);
    at_ = 0;
    if (buffer_.size() > k_longest_line) return bad("is too long for a manifest");
    TM_TRY_ASSIGN(const std::string more, read_());
    file_ended_ = more.empty();
    buffer_ += more;
  }
}

Result<ManifestHeader> ManifestReader::header() {
  ManifestHeader header;
  TM_TRY_ASSIGN(const std::string first, line());
  if (first != k_first_line) {
    if (first.starts_with("volume-mover manifest ")) return bad("another version than 1: " + shown(first));
    return bad("this is no manifest");
  }
  TM_TRY_ASSIGN(const std::string hash, line());
  if (hash != k_hash_line) return bad("expected " + quote(k_hash_line));
  TM_TRY_ASSIGN(const std::string xattrs, line());
  header.xattrs = xattrs == k_xattrs_line;
  if (!header.xattrs && xattrs != k_no_xattrs_line) return bad("expected " + quote(k_xattrs_line));
  while (true) {
    TM_TRY_ASSIGN(const std::string text, line());
    if (text.starts_with("map-owner ") && header.leave_out.empty()) {
      Result<OwnerRule> rule = parse_owner_rule(std::string_view(text).substr(10));
      if (!rule) return bad(rule.error().what);
      header.owner_rules.push_back(*rule);
    } else if (text.starts_with("leave-out ")) {
      const std::optional<std::string> path = path_of_shown(std::string_view(text).substr(10));
      if (!path || path->empty()) return bad("cannot read the path");
      if (!header.leave_out.insert(*path).second) return bad("a path twice");
    } else if (text.starts_with("root ")) {
      if (!read_root(text, header)) return bad("cannot read the root directory's attributes");
      return header;
    } else {
      return bad("cannot read this line of the header");
    }
  }
}

Result<ManifestLine> ManifestReader::parse_directory(const std::string& text) {
  const std::size_t first = text.find(' ');
  const std::size_t second = first == std::string::npos ? first : text.find(' ', first + 1);
  if (second == std::string::npos) return bad("cannot read this line");
  const std::string_view view = text;
  ManifestLine line;
  const std::optional<Digest> hash = parse_digest(view.substr(0, first));
  const std::optional<std::string> path = path_of_shown(view.substr(second + 1));
  if (!hash) return bad("cannot read the hash");
  if (!read_number(view.substr(first + 1, second - first - 1), line.entries))
    return bad("cannot read the number");
  if (!path || path->empty()) return bad("cannot read the path");
  if (last_path_ ? compare_in_walk_order(*last_path_, *path) >= 0 : *path != ".") {
    return bad("the directories are not in order");
  }
  line.hash = *hash;
  line.path = *path;
  if (render(line) != text + "\n") return bad("is not written as a manifest writes it");
  return line;
}

Result<void> ManifestReader::parse_end(const std::string& text) {
  const std::vector<std::string> fields = split(text, ' ');
  const std::optional<Digest> hash = fields.size() == 4 ? parse_digest(fields[1]) : std::nullopt;
  ManifestEnd end;
  if (!hash || !read_number(fields[2], end.directories) || !read_number(fields[3], end.entries)) {
    return bad("cannot read the last line");
  }
  end_ = sum_.end();
  if (end_.hash != *hash || end_.directories != end.directories || end_.entries != end.entries) {
    return bad("the manifest was changed: its own hash does not fit");
  }
  if (at_ < buffer_.size()) return bad("something follows the last line");
  while (!file_ended_) {
    TM_TRY_ASSIGN(const std::string more, read_());
    if (!more.empty()) return bad("something follows the last line");
    file_ended_ = true;
  }
  return {};
}

Result<std::optional<ManifestLine>> ManifestReader::next() {
  if (finished_) return std::optional<ManifestLine>();
  TM_TRY_ASSIGN(const std::string text, line());
  if (text.starts_with("end ")) {
    if (!last_path_) return bad("a manifest without the root directory");
    TM_TRY(parse_end(text));
    finished_ = true;
    return std::optional<ManifestLine>();
  }
  TM_TRY_ASSIGN(ManifestLine line, parse_directory(text));
  last_path_ = line.path;
  sum_.add(line);
  return std::optional<ManifestLine>(std::move(line));
}

Result<ManifestReader> open_manifest(const std::string& path) {
  auto file = std::make_shared<Descriptor>(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file->is_open()) return system_error(errno, "cannot read", path);
  return ManifestReader([file, path]() -> Result<std::string> {
    std::string bytes(65536, '\0');
    ssize_t got = -1;
    do {
      got = ::read(file->get(), bytes.data(), bytes.size());
    } while (got < 0 && errno == EINTR);
    if (got < 0) return system_error(errno, "cannot read", path);
    bytes.resize(static_cast<std::size_t>(got));
    return bytes;
  });
}

}  // namespace truenas::mover
