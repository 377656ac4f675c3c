#pragma once
// Reads a tar archive: ustar, pax and GNU long names, as Go's archive/tar writes and reads them. Pure,
// bounded by its input: a malformed archive is an error, never a crash. Private to lib/coder.

#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"

namespace truenas::coder {

struct TarFile {
  std::string path;          // as the archive has it, without "./" in front
  std::string_view content;  // into the archive
};

// The regular files in order; directories, links, devices and pax comments are left out. Like Go's reader
// (and so Coder), an archive may end without its two blocks of zeros, but not within a header or a file.
// Kind::format,
// "<source>: …", for anything else, sparse files and a path given twice.
Result<std::vector<TarFile>> read_tar(std::string_view archive, std::string_view source);

}  // namespace truenas::coder
