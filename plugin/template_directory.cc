#include "plugin/template_directory.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "lib/base/text.h"

namespace truenas::plugin {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t k_most_bytes = std::size_t{4} << 20;

Error cannot_read(const std::string& path, const std::string& why) {
  return make_error(Kind::usage, fmt::format("cannot read {}: {}", printable(path), why));
}

bool is_terraform(const std::string& name) {
  return name.ends_with(".tf") || name.ends_with(".tf.json");
}

Result<std::vector<std::string>> names_in(const std::string& directory) {
  std::error_code error;
  std::vector<std::string> names;
  fs::directory_iterator entry(directory, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    std::error_code unknown_type;
    if (is_terraform(name) && entry->is_regular_file(unknown_type)) names.push_back(name);
  }
  if (error) return cannot_read(directory, lower(error.message().substr(0, 1)) + error.message().substr(1));
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

Result<std::vector<coder::SourceFile>> read_template_directory(const std::string& directory) {
  TM_TRY_ASSIGN(const std::vector<std::string> names, names_in(directory));
  if (names.empty()) {
    return make_error(Kind::usage, fmt::format("{} has no *.tf file: no template", printable(directory)),
                      {"coder templates pull TEMPLATE DIR"});
  }
  std::vector<coder::SourceFile> files;
  std::size_t bytes = 0;
  for (const std::string& name : names) {
    const std::string path = (fs::path(directory) / name).string();
    std::ifstream file(path, std::ios::binary);
    if (!file) return cannot_read(path, "it cannot be opened");
    std::string text(k_most_bytes + 1 - bytes, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (file.bad()) return cannot_read(path, "reading failed");
    text.resize(static_cast<std::size_t>(file.gcount()));
    bytes += text.size();
    if (bytes > k_most_bytes) return cannot_read(directory, "more than 4 MiB of *.tf files");
    files.push_back({name, std::move(text)});
  }
  return files;
}

std::string template_name_of(const std::string& directory) {
  std::error_code failed;
  fs::path path = fs::absolute(directory, failed).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();
  const std::string name = path.filename().string();
  return name.empty() ? "template" : name;
}

}  // namespace truenas::plugin
