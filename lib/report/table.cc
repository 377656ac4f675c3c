#include "lib/report/table.h"

#include <algorithm>

#include "lib/base/text.h"

namespace truenas::report {
namespace {

// Display columns of UTF-8 text, near enough for alignment: code points, not bytes.
std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string cell(const std::string& text) {
  return text.empty() ? "<none>" : printable(text);
}

}  // namespace

std::string render(const Table& table, bool headers) {
  std::vector<std::vector<std::string>> lines;
  if (headers) lines.push_back(table.headers);
  for (const auto& row : table.rows) {
    std::vector<std::string> line;
    for (const std::string& text : row) line.push_back(cell(text));
    lines.push_back(std::move(line));
  }
  std::vector<std::size_t> widths(table.headers.size(), 6);
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size() && i < widths.size(); ++i) {
      widths[i] = std::max(widths[i], width_of(line[i]));
    }
  }
  std::string text;
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size() && i < widths.size(); ++i) {
      text += line[i];
      if (i + 1 < line.size()) text.append(widths[i] - width_of(line[i]) + 3, ' ');
    }
    text += '\n';
  }
  return text;
}

}  // namespace truenas::report
