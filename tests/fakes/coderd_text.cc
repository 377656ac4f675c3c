#include "tests/fakes/coderd_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "lib/base/text.h"

namespace truenas::fakes {
namespace {

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-';
}

class TextParser {
 public:
  explicit TextParser(std::string_view text) : text_(text) {}

  Result<TextExpression> only_expression() { return expression(); }

  Result<TextBlock> file() {
    TextBlock root;
    TM_TRY(body(root, false));
    return root;
  }

 private:
  Error bad(std::string_view why) const {
    const auto line = 1 + std::count(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(at_), '\n');
    return make_error(Kind::format, fmt::format("template: line {}: {}", line, why));
  }
  bool end() const { return at_ >= text_.size(); }
  char peek() const { return end() ? '\0' : text_[at_]; }
  bool starts(std::string_view what) const { return text_.substr(at_).starts_with(what); }
  bool take(char c) {
    skip(true);
    if (peek() != c) return false;
    ++at_;
    return true;
  }

  void skip(bool lines) {
    while (!end()) {
      if (peek() == '#' || starts("//")) {
        while (!end() && peek() != '\n') ++at_;
      } else if (starts("/*")) {
        const std::size_t close = text_.find("*/", at_ + 2);
        at_ = close == std::string_view::npos ? text_.size() : close + 2;
      } else if (peek() == ' ' || peek() == '\t' || peek() == '\r' || (lines && peek() == '\n')) {
        ++at_;
      } else {
        return;
      }
    }
  }

  std::string word() {
    const std::size_t start = at_;
    while (!end() && is_word(peek())) ++at_;
    return std::string(text_.substr(start, at_ - start));
  }

  Result<void> body(TextBlock& block, bool braced) {
    while (true) {
      skip(true);
      if (end()) return braced ? Result<void>(bad("a block does not end")) : Result<void>();
      if (braced && take('}')) return {};
      const std::string name = word();
      if (name.empty()) return bad("neither an attribute nor a block");
      skip(false);
      if (peek() == '=') {
        ++at_;
        TM_TRY_ASSIGN(TextExpression value, expression());
        block.attributes.emplace_back(name, std::move(value));
        continue;
      }
      TextBlock inner;
      inner.type = name;
      while (peek() == '"') {
        TM_TRY_ASSIGN(std::string label, quoted());
        inner.labels.push_back(std::move(label));
        skip(false);
      }
      if (!take('{')) return bad("expected a block");
      TM_TRY(body(inner, true));
      block.blocks.push_back(std::move(inner));
    }
  }

  // The text between quotes as written; holes may have quotes of their own.
  Result<std::string> quoted() {
    const std::size_t start = ++at_;
    int holes = 0;
    for (; !end(); ++at_) {
      if (peek() == '\\') {
        ++at_;
      } else if (starts("$${")) {
        at_ += 2;
      } else if (starts("${")) {
        ++holes, ++at_;
      } else if (peek() == '}' && holes > 0) {
        --holes;
      } else if (peek() == '"' && holes == 0) {
        return std::string(text_.substr(start, at_++ - start));
      }
    }
    return bad("a text does not end");
  }

  Result<TextExpression> heredoc() {
    at_ += starts("<<-") ? 3 : 2;
    const std::string mark = word();
    TextExpression result{TextExpression::Kind::raw, "heredoc", {}, {}};
    while (!end()) {
      const std::size_t line_end = std::min(text_.find('\n', at_), text_.size() - 1);
      const std::string_view line = text_.substr(at_, line_end - at_);
      at_ = line_end + 1;
      if (trim(line) == mark) return result;
    }
    return bad("a heredoc does not end");
  }

  Result<TextExpression> expression() {
    skip(true);
    const std::size_t start = at_;
    TM_TRY_ASSIGN(TextExpression value, primary());
    skip(false);
    if (end() || peek() == '\n' || peek() == ',' || peek() == ']' || peek() == '}' || peek() == ')')
      return value;
    // An operator: the rest of it up to the end of the line or of what holds it.
    int depth = 0;
    while (!end() && (depth > 0 || (peek() != '\n' && peek() != ',' && peek() != ']' && peek() != '}'))) {
      if (peek() == '(' || peek() == '[' || peek() == '{') ++depth;
      if (peek() == ')' || peek() == ']' || peek() == '}') --depth;
      if (depth < 0) break;
      ++at_;
    }
    return TextExpression{TextExpression::Kind::raw, std::string(text_.substr(start, at_ - start)), {}, {}};
  }

  Result<TextExpression> primary() {
    if (peek() == '"') {
      TM_TRY_ASSIGN(std::string text, quoted());
      return TextExpression{TextExpression::Kind::text, std::move(text), {}, {}};
    }
    if (starts("<<")) return heredoc();
    if (peek() == '[') return list();
    if (peek() == '{') return object();
    if (peek() == '(') {
      ++at_;
      TM_TRY_ASSIGN(TextExpression inner, expression());
      if (!take(')')) return bad("expected )");
      return inner;
    }
    return reference();
  }

  Result<TextExpression> list() {
    ++at_;
    TextExpression result{TextExpression::Kind::list, "", {}, {}};
    while (!take(']')) {
      TM_TRY_ASSIGN(TextExpression item, expression());
      result.items.push_back(std::move(item));
      if (!take(',') && (skip(true), peek() != ']')) return bad("expected ] or ,");
    }
    return result;
  }

  Result<TextExpression> object() {
    ++at_;
    TextExpression result{TextExpression::Kind::object, "", {}, {}};
    while (!take('}')) {
      if (end()) return bad("an object does not end");
      std::string key;
      if (peek() == '"') {
        TM_TRY_ASSIGN(key, quoted());
      } else {
        key = word();
      }
      if (key.empty() || (!take('=') && !take(':'))) return bad("expected a key");
      TM_TRY_ASSIGN(TextExpression value, expression());
      result.members.emplace_back(std::move(key), std::move(value));
      take(',');
    }
    return result;
  }

  Result<TextExpression> reference() {
    const std::size_t start = at_;
    while (!end() && (is_word(peek()) || peek() == '.' || peek() == '[' || peek() == '*')) {
      if (peek() == '[') at_ = std::min(text_.find(']', at_), text_.size() - 1);
      ++at_;
    }
    std::string name(text_.substr(start, at_ - start));
    if (name.empty()) return bad("expected a value");
    if (peek() != '(') return TextExpression{TextExpression::Kind::reference, std::move(name), {}, {}};
    ++at_;
    TextExpression call{TextExpression::Kind::call, std::move(name), {}, {}};
    while (!take(')')) {
      TM_TRY_ASSIGN(TextExpression item, expression());
      call.items.push_back(std::move(item));
      if (!take(',') && (skip(true), peek() != ')')) return bad("expected ) or ,");
    }
    return call;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

const TextExpression* TextBlock::find(std::string_view name) const {
  for (const auto& [key, value] : attributes) {
    if (key == name) return &value;
  }
  return nullptr;
}

const TextBlock* TextBlock::find_block(std::string_view block_type) const {
  for (const TextBlock& block : blocks) {
    if (block.type == block_type) return &block;
  }
  return nullptr;
}

Result<TextExpression> parse_text_expression(std::string_view text) {
  return TextParser(text).only_expression();
}

Result<TextBlock> parse_text(std::string_view text) {
  return TextParser(text).file();
}

}  // namespace truenas::fakes
