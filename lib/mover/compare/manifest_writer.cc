#include "lib/mover/compare/manifest_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>

#include "lib/base/text.h"
#include "lib/mover/json_writer.h"

namespace truenas::mover {
namespace {

constexpr std::size_t k_buffer = std::size_t{64} * 1024;

int write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t wrote = ::write(file, bytes.data(), bytes.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return errno;
    bytes.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return 0;
}

}  // namespace

Result<std::unique_ptr<ManifestWriter>> ManifestWriter::open(const std::string& path) {
  if (path == "-") return std::unique_ptr<ManifestWriter>(new ManifestWriter({}, Descriptor()));
  const std::string part = path + ".part";
  Descriptor file(::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!file.is_open()) return system_error(errno, "cannot write", part);
  return std::unique_ptr<ManifestWriter>(new ManifestWriter(path, std::move(file)));
}

ManifestWriter::~ManifestWriter() {
  if (file_.is_open()) ::unlink(part().c_str());
}

void ManifestWriter::line(const ManifestLine& line) {
  sum_.add(line);
  write(render(line));
}

void ManifestWriter::write(const std::string& lines) {
  if (!path_.empty()) {
    buffer_ += lines;
    if (buffer_.size() >= k_buffer) flush();
    return;
  }
  for (const std::string& text : split(lines, '\n')) {
    if (text.empty()) continue;
    const int number = write_all(1, JsonObject().text("type", "manifest").text("line", text).str() + "\n");
    if (number_ == 0) number_ = number;
  }
}

void ManifestWriter::flush() {
  const int number = write_all(file_.get(), buffer_);
  if (number_ == 0) number_ = number;
  buffer_.clear();
}

Result<ManifestEnd> ManifestWriter::finish() {
  const ManifestEnd end = sum_.end();
  write(render(end));
  if (path_.empty()) {
    if (number_ != 0) return system_error(number_, "cannot write", "standard output");
    return end;
  }
  flush();
  if (number_ == 0 && ::fsync(file_.get()) != 0) number_ = errno;
  if (number_ == 0) number_ = file_.close().number();
  if (number_ == 0 && ::rename(part().c_str(), path_.c_str()) != 0) number_ = errno;
  if (number_ == 0) return end;
  ::unlink(part().c_str());
  return system_error(number_, "cannot write", path_);
}

}  // namespace truenas::mover
