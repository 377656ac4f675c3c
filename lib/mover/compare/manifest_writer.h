#pragma once
// Writes a manifest where it is wanted: into a file, which appears under its name only when it is complete,
// or as JSON lines of type "manifest" (one line of the manifest each) among the others.

#include <memory>
#include <string>

#include "lib/base/result.h"
#include "lib/mover/manifest_file.h"

namespace truenas::mover {

class ManifestWriter {
 public:
  // "-" stands for JSON lines on standard output.
  static Result<std::unique_ptr<ManifestWriter>> open(const std::string& path);
  // Without finish(): removes what was written.
  ~ManifestWriter();
  ManifestWriter(const ManifestWriter&) = delete;
  ManifestWriter& operator=(const ManifestWriter&) = delete;

  void header(const ManifestHeader& header) { write(render(header)); }
  void line(const ManifestLine& line);
  // The first thing that went wrong with writing, if anything did.
  Result<ManifestEnd> finish();

 private:
  ManifestWriter(std::string path, Descriptor file) : path_(std::move(path)), file_(std::move(file)) {}
  void write(const std::string& lines);
  void flush();
  std::string part() const { return path_ + ".part"; }

  std::string path_;  // "" for JSON lines
  Descriptor file_;
  std::string buffer_;
  int number_ = 0;  // errno
  ManifestSum sum_;
};

}  // namespace truenas::mover
