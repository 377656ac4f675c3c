#include "lib/coder/template_archive.h"

#include <fmt/format.h>

#include "lib/base/text.h"
#include "lib/coder/tar.h"

namespace truenas::coder {
namespace {

constexpr std::size_t k_text_limit = std::size_t{10} << 20;

}  // namespace

Result<std::vector<SourceFile>> read_template_archive(std::string_view archive, std::string_view source) {
  TM_TRY_ASSIGN(const std::vector<TarFile> entries, read_tar(archive, source));
  std::vector<SourceFile> files;
  std::size_t total = 0;
  for (const TarFile& entry : entries) {
    if (!entry.path.ends_with(".tf") && !entry.path.ends_with(".tf.json")) continue;
    if (contains(entry.path, "..")) continue;
    total += entry.content.size();
    if (total > k_text_limit) {
      return make_error(Kind::format,
                        fmt::format("{}: its *.tf files have more than {} bytes", source, k_text_limit));
    }
    files.push_back({entry.path, std::string(entry.content)});
  }
  if (files.empty())
    return make_error(Kind::format, fmt::format("{}: no *.tf file is in the archive", source));
  return files;
}

}  // namespace truenas::coder
