#include "lib/kube/warning.h"

#include <optional>

namespace truenas::kube {
namespace {

void skip_blanks(std::string_view& text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
}

std::string_view take_word(std::string_view& text) {
  skip_blanks(text);
  const std::size_t end = text.find_first_of(" \t");
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(word.size());
  skip_blanks(text);
  return word;
}

// A quoted-string of RFC 7230; nullopt when there is none or it does not end.
std::optional<std::string> take_quoted(std::string_view& text) {
  if (text.empty() || text.front() != '"') return std::nullopt;
  std::string result;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"') {
      text.remove_prefix(i + 1);
      skip_blanks(text);
      return result;
    }
    if (text[i] == '\\' && ++i == text.size()) return std::nullopt;
    result += text[i];
  }
  return std::nullopt;
}

}  // namespace

std::vector<std::string> parse_warnings(std::string_view header) {
  std::vector<std::string> texts;
  while (true) {
    const std::string_view code = take_word(header);
    take_word(header);  // the agent
    std::optional<std::string> text = take_quoted(header);
    if (!text) return texts;
    take_quoted(header);  // the date, where there is one
    if (code == "299" && !text->empty()) texts.push_back(std::move(*text));
    if (header.empty() || header.front() != ',') return texts;
    header.remove_prefix(1);
  }
}

}  // namespace truenas::kube
