#include "lib/coder/template_edit.h"

#include <algorithm>

namespace truenas::coder {
namespace {

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t") == std::string_view::npos;
}

}  // namespace

TextEdit::TextEdit(const TokenList& list) : list_(list), line_end_("\n") {
  const std::size_t first = list.text.find('\n');
  if (first != std::string_view::npos && first > 0 && list.text[first - 1] == '\r') line_end_ = "\r\n";
}

std::size_t TextEdit::line_start(std::size_t at) const {
  const std::size_t before = at == 0 ? std::string_view::npos : list_.text.rfind('\n', at - 1);
  return before == std::string_view::npos ? 0 : before + 1;
}

bool TextEdit::begins_line(std::size_t at) const {
  const std::size_t start = line_start(at);
  return is_blank(list_.text.substr(start, at - start));
}

// Bytes [begin, end), with the whole line where nothing else is on it. `after` is the token that follows.
void TextEdit::remove_bytes(std::size_t begin, std::size_t end, std::size_t after) {
  const Token& next = list_.tokens[after];
  const std::string_view behind = list_.text.substr(end, next.begin - end);
  const bool ends_line = next.kind == TokenKind::newline && behind.find('\n') == std::string_view::npos;
  if (ends_line && begins_line(begin)) {
    begin = line_start(begin);
    end = next.end;
  } else {
    while (begin > 0 && (list_.text[begin - 1] == ' ' || list_.text[begin - 1] == '\t')) --begin;
  }
  replacements_.push_back({begin, end, ""});
}

void TextEdit::remove(const Attribute& attribute) {
  remove_bytes(list_.tokens[attribute.name_token].begin, list_.tokens[attribute.value.last - 1].end,
               attribute.value.last);
}

void TextEdit::remove(const Block& block) {
  remove_bytes(list_.tokens[block.type_token].begin, list_.tokens[block.close].end, block.close + 1);
}

void TextEdit::replace_value(const Attribute& attribute, std::string_view value) {
  replacements_.push_back({list_.tokens[attribute.value.first].begin,
                           list_.tokens[attribute.value.last - 1].end, std::string(value)});
}

void TextEdit::append_to(const Block& block, const std::vector<std::string>& lines) {
  const Token &open = list_.tokens[block.open], &close = list_.tokens[block.close];
  const std::size_t start = line_start(list_.tokens[block.type_token].begin);
  std::size_t indented = start;
  while (list_.text[indented] == ' ' || list_.text[indented] == '\t') ++indented;
  const std::string indent(list_.text.substr(start, indented - start));
  std::string text;
  for (const std::string& line : lines) text += indent + "  " + line + line_end_;
  if (begins_line(close.begin)) {
    const std::size_t at = line_start(close.begin);
    replacements_.push_back({at, at, text});
    return;
  }
  // { a = 1 }: what is inside gets a line of its own, the brace too.
  const std::size_t last = list_.text.find_last_not_of(" \t", close.begin - 1) + 1;
  const std::string content(list_.text.substr(open.end, std::max(last, open.end) - open.end));
  const std::size_t first = std::min(content.find_first_not_of(" \t"), content.size());
  std::string inside;
  if (first < content.size()) inside = indent + "  " + content.substr(first) + line_end_;
  if (content.find('\n') != std::string::npos) {  // many lines, but the brace is behind the last of them
    replacements_.push_back({last, close.begin, line_end_ + text + indent});
    return;
  }
  replacements_.push_back({open.end, close.begin, line_end_ + inside + text + indent});
}

void TextEdit::append(const std::vector<std::string>& lines) {
  const bool ends_line = list_.text.empty() || list_.text.ends_with('\n');
  std::string text = ends_line ? "" : line_end_;
  for (const std::string& line : lines) text += line + line_end_;
  replacements_.push_back({list_.text.size(), list_.text.size(), text});
}

std::string TextEdit::text() const {
  std::vector<Replacement> sorted = replacements_;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Replacement& a, const Replacement& b) { return a.begin < b.begin; });
  std::string text;
  std::size_t at = 0;
  for (const Replacement& one : sorted) {
    text += list_.text.substr(at, std::max(one.begin, at) - at);
    text += one.text;
    at = std::max(at, one.end);
  }
  return text += list_.text.substr(at);
}

}  // namespace truenas::coder
