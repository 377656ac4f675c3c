#include "plugin/output.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "lib/base/text.h"

namespace truenas::plugin {

Result<OutputFormat> parse_output_format(const std::string& text) {
  const std::string name = lower(text);
  if (name.empty()) return OutputFormat::table;
  if (name == "wide") return OutputFormat::wide;
  if (name == "json") return OutputFormat::json;
  if (name == "yaml") return OutputFormat::yaml;
  if (name == "name") return OutputFormat::name;
  return make_error(
      Kind::usage,
      fmt::format("unable to match a printer suitable for the output format {}, allowed formats are: "
                  "json,name,wide,yaml",
                  quote(text)));
}

Result<void> print_answer(const std::string& text) {
  errno = 0;
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (written && std::fflush(stdout) == 0) return {};
  return make_error(Kind::unavailable,
                    fmt::format("cannot write to standard output: {}", std::strerror(errno)));
}

std::string render_document(const json::Value& document, OutputFormat format) {
  std::string text = format == OutputFormat::yaml ? json::write_yaml(document) : json::write_pretty(document);
  if (text.empty() || text.back() != '\n') text += '\n';
  return text;
}

}  // namespace truenas::plugin
