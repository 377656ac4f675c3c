#include "lib/coder/hcl_token.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "lib/base/text.h"
#include "lib/coder/hcl_utf8.h"

namespace truenas::coder {
namespace {

constexpr std::size_t k_longest_text = 16u << 20;
constexpr std::size_t k_deepest = 100;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Letters beyond ASCII are taken whole: which of them Unicode lets into identifiers does not matter here.
bool begins_identifier(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

bool continues_identifier(char c) {
  return begins_identifier(c) || is_digit(c) || c == '-';
}

class Scanner {
 public:
  Scanner(std::string_view text, std::string_view file) { list_.text = text, list_.file = file; }

  Result<TokenList> run() {
    if (list_.text.size() > k_longest_text) return failure(fmt::format("more than {} bytes", k_longest_text));
    if (const auto bad = first_bad_utf8(list_.text)) {
      line_ += static_cast<std::size_t>(std::count(list_.text.begin(), list_.text.begin() + *bad, '\n'));
      return failure("not UTF-8");
    }
    if (const auto nul = list_.text.find('\0'); nul != std::string_view::npos) {
      line_ += static_cast<std::size_t>(std::count(list_.text.begin(), list_.text.begin() + nul, '\n'));
      return failure("NUL byte");
    }
    if (list_.text.starts_with("\xef\xbb\xbf")) at_ = 3;
    while (at_ < list_.text.size()) {
      TM_TRY(in_text() ? scan_text() : scan_code());
    }
    if (!open_.empty()) return unclosed();
    add(TokenKind::end, at_, at_);
    return std::move(list_);
  }

 private:
  // What is open: a bracket, a template sequence, or a text (quotes, heredoc).
  struct Frame {
    std::size_t token = 0;
    char closer = 0;          // of brackets and sequences; 0 for texts
    std::string_view marker;  // of a heredoc
    bool line_start = false;  // of a heredoc: nothing but text since the line began
  };

  Error failure(std::string_view what) const { return failure_at(line_, what); }
  Error failure_at(std::size_t line, std::string_view what) const {
    return make_error(Kind::format, fmt::format("{}:{}: {}", list_.file, line, what));
  }
  Error unclosed() const {
    const Token& opener = list_.tokens[open_.back().token];
    return failure_at(opener.line,
                      fmt::format("{} is never closed", quote(trim(list_.of(open_.back().token)))));
  }

  char peek(std::size_t ahead = 0) const {
    return at_ + ahead < list_.text.size() ? list_.text[at_ + ahead] : '\0';
  }
  bool sees(std::string_view word) const { return list_.text.substr(at_).starts_with(word); }
  bool in_text() const { return !open_.empty() && open_.back().closer == 0; }
  bool in_heredoc() const { return in_text() && !open_.back().marker.empty(); }

  void add(TokenKind kind, std::size_t begin, std::size_t end) {
    list_.tokens.push_back({kind, begin, end, line_, 0});
  }

  // A token over the next `length` bytes, which hold no newline.
  void take(TokenKind kind, std::size_t length) {
    add(kind, at_, at_ + length);
    at_ += length;
  }

  Result<void> open(TokenKind kind, std::size_t length, char closer, std::string_view marker = "") {
    if (open_.size() >= k_deepest) return failure(fmt::format("nested more than {} levels deep", k_deepest));
    open_.push_back({list_.tokens.size(), closer, marker, true});
    take(kind, length);
    return {};
  }

  void close(TokenKind kind, std::size_t length) {
    const std::size_t opener = open_.back().token;
    list_.tokens[opener].partner = list_.tokens.size();
    open_.pop_back();
    take(kind, length);
    list_.tokens.back().partner = opener;
  }

  Result<void> scan_code() {
    const char c = peek();
    if (c == ' ' || c == '\t' || (c == '\r' && peek(1) == '\n')) return ++at_, Result<void>();
    if (c == '\n') return newline(at_), Result<void>();
    if (c == '#' || sees("//")) return scan_line_comment(), Result<void>();
    if (sees("/*")) return scan_block_comment();
    if (sees("<<") && (begins_identifier(peek(2)) || peek(2) == '-')) return scan_heredoc_opening();
    if (begins_identifier(c)) return scan_while(TokenKind::identifier), Result<void>();
    if (is_digit(c)) return scan_number(), Result<void>();
    if (c == '"') return open(TokenKind::quote_open, 1, 0);
    if (c == '(') return open(TokenKind::open, 1, ')');
    if (c == '[') return open(TokenKind::open, 1, ']');
    if (c == '{') return open(TokenKind::open, 1, '}');
    if (c == ')' || c == ']' || c == '}' || (sees("~}") && in_sequence())) return scan_closing();
    return scan_symbol();
  }

  bool in_sequence() const {
    return !open_.empty() && list_.tokens[open_.back().token].kind == TokenKind::template_open;
  }

  void newline(std::size_t begin) {
    at_ = std::min(list_.text.find('\n', at_), list_.text.size() - 1) + 1;
    add(TokenKind::newline, begin, at_);
    ++line_;
  }

  // Its line end stays a token; the last line may have none.
  void scan_line_comment() {
    at_ = std::min(list_.text.find('\n', at_), list_.text.size());
    if (at_ < list_.text.size()) newline(at_);
  }

  Result<void> scan_block_comment() {
    const std::size_t end = list_.text.find("*/", at_ + 2);
    if (end == std::string_view::npos) return failure("comment is never closed");
    line_ +=
        static_cast<std::size_t>(std::count(list_.text.begin() + static_cast<std::ptrdiff_t>(at_),
                                            list_.text.begin() + static_cast<std::ptrdiff_t>(end), '\n'));
    at_ = end + 2;
    return {};
  }

  Result<void> scan_heredoc_opening() {
    std::size_t begin = at_ + 2 + (peek(2) == '-' ? 1u : 0u), end = begin;
    while (end < list_.text.size() && continues_identifier(list_.text[end])) ++end;
    if (end == begin || !begins_identifier(list_.text[begin])) return failure("heredoc without a marker");
    const std::string_view marker = list_.text.substr(begin, end - begin);
    if (list_.text.substr(end).starts_with("\r\n")) ++end;
    if (end >= list_.text.size() || list_.text[end] != '\n')
      return failure(fmt::format("heredoc marker {} is not alone at the end of its line", quote(marker)));
    TM_TRY(open(TokenKind::heredoc_open, end + 1 - at_, 0, marker));
    ++line_;
    return {};
  }

  void scan_while(TokenKind kind) {
    std::size_t length = 1;
    while (at_ + length < list_.text.size() && continues_identifier(list_.text[at_ + length])) ++length;
    take(kind, length);
  }

  void scan_number() {
    std::size_t length = 0;
    const auto digits = [&] {
      while (is_digit(peek(length))) ++length;
    };
    digits();
    if (peek(length) == '.' && is_digit(peek(length + 1))) ++length, digits();
    if (peek(length) == 'e' || peek(length) == 'E') {
      const std::size_t sign = peek(length + 1) == '+' || peek(length + 1) == '-' ? 1 : 0;
      if (is_digit(peek(length + 1 + sign))) length += 1 + sign, digits();
    }
    take(TokenKind::number, length);
  }

  Result<void> scan_closing() {
    const std::size_t length = peek() == '~' ? 2 : 1;
    const char closer = peek(length - 1);
    if (open_.empty() || open_.back().closer != closer)
      return failure(fmt::format("{} closes nothing that is open", quote(std::string_view(&closer, 1))));
    close(in_sequence() ? TokenKind::template_close : TokenKind::close, length);
    return {};
  }

  Result<void> scan_symbol() {
    static constexpr std::array<std::string_view, 22> symbols = {
        "...", "==", "!=", "<=", ">=", "&&", "||", "=>", "::", "=", "<",
        ">",   "!",  "?",  ":",  ".",  ",",  "+",  "-",  "*",  "/", "%"};
    for (const std::string_view symbol : symbols) {
      if (sees(symbol)) return take(TokenKind::symbol, symbol.size()), Result<void>();
    }
    return failure(fmt::format("unexpected {}", quote(list_.text.substr(at_, 1))));
  }

  Result<void> scan_text() {
    if (in_heredoc() && open_.back().line_start && ends_heredoc()) return {};
    const std::size_t begin = at_;
    const bool heredoc = in_heredoc();
    while (at_ < list_.text.size()) {
      const char c = peek();
      if (sees("$${") || sees("%%{")) {
        at_ += 3;
      } else if (sees("${") || sees("%{") || (!heredoc && c == '"')) {
        break;
      } else if (c == '\n') {
        if (!heredoc) return unclosed();
        ++at_;
        return add(TokenKind::literal, begin, at_), ++line_, open_.back().line_start = true, Result<void>();
      } else {
        at_ += !heredoc && c == '\\' && peek(1) != '\n' ? 2 : 1;
      }
    }
    at_ = std::min(at_, list_.text.size());
    if (at_ > begin) add(TokenKind::literal, begin, at_);
    if (at_ == list_.text.size()) return unclosed();
    open_.back().line_start = false;
    if (peek() == '"' && !heredoc) return close(TokenKind::quote_close, 1), Result<void>();
    return open(TokenKind::template_open, peek(2) == '~' ? 3 : 2, '}');
  }

  // The line that holds nothing but the marker; its newline belongs to the code again.
  bool ends_heredoc() {
    const std::size_t end = list_.text.find('\n', at_);
    if (end == std::string_view::npos) return open_.back().line_start = false;
    if (without_space(list_.text.substr(at_, end - at_)) != open_.back().marker)
      return open_.back().line_start = false;
    std::size_t length = end - at_;
    if (length > 0 && list_.text[end - 1] == '\r') --length;
    close(TokenKind::heredoc_close, length);
    return true;
  }

  TokenList list_;
  std::vector<Frame> open_;
  std::size_t at_ = 0, line_ = 1;
};

}  // namespace

Result<TokenList> tokenize(std::string_view text, std::string_view file) {
  return Scanner(text, file).run();
}

}  // namespace truenas::coder
