// The text that an expression makes: literal pieces, and holes that name their expression.

#include <algorithm>

#include "lib/base/text.h"
#include "lib/coder/hcl_expression.h"

namespace truenas::coder {
namespace {

using Letters = Piece::Letters;
using Pieces = std::vector<Piece>;

constexpr int k_deepest = 16;
constexpr int k_most_steps = 1000;  // locals that use each other twice grow without end
constexpr std::size_t k_most_bytes = 1u << 20;

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

std::string upper(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return result;
}

class PieceReader {
 public:
  explicit PieceReader(const Locals& locals) : locals_(locals) {}

  Pieces read(const Expression& given, int depth) {
    const Expression expression = followed(given, locals_);
    if (expression.list == nullptr || expression.range.empty() || depth > k_deepest ||
        ++steps_ > k_most_steps)
      return hole(given);
    const TokenRange& range = expression.range;
    const Token& first = expression.list->tokens[range.first];
    bytes_ += expression.list->tokens[range.last - 1].end - first.begin;
    if (bytes_ > k_most_bytes) return hole(given);
    if (first.kind == TokenKind::quote_open && first.partner == range.last - 1)
      return read_quotes(expression, depth);
    if (range.last == range.first + 1) return read_word(expression);
    if (first.kind == TokenKind::identifier && range.last - range.first >= 3 &&
        expression.list->of(range.first + 1) == "(" &&
        expression.list->tokens[range.first + 1].partner == range.last - 1)
      return read_call(expression, depth);
    return hole(expression);
  }

 private:
  static Pieces hole(const Expression& expression) {
    return {{squeezed(expression), false, Letters::as_written}};
  }

  static void append(Pieces& pieces, Piece piece) {
    if (piece.literal && piece.text.empty()) return;
    if (piece.literal && !pieces.empty() && pieces.back().literal) {
      pieces.back().text += piece.text;
    } else {
      pieces.push_back(std::move(piece));
    }
  }
  static void append(Pieces& pieces, Pieces more) {
    for (Piece& piece : more) append(pieces, std::move(piece));
  }

  // A number or a boolean is a text in Terraform; numbers only where no rounding can come in.
  static Pieces read_word(const Expression& expression) {
    const std::string word(expression.list->of(expression.range.first));
    const bool digits = word.find_first_not_of("0123456789") == std::string::npos && word.size() <= 15;
    const bool plain = digits && (word == "0" || !word.starts_with("0"));
    if (!plain && word != "true" && word != "false") return hole(expression);
    return {{word, true, Letters::as_written}};
  }

  Pieces read_quotes(const Expression& expression, int depth) {
    const TokenList& list = *expression.list;
    Pieces pieces;
    for (std::size_t at = expression.range.first + 1; at + 1 < expression.range.last;) {
      const Token& here = list.tokens[at];
      if (here.kind == TokenKind::literal) {
        const auto value = literal_value(list, at, true);
        if (!value.ok()) return hole(expression);
        append(pieces, {value.value(), true, Letters::as_written});
        ++at;
        continue;
      }
      // %{ if … } and the ~ that eats white space are not worked out.
      if (list.of(at) != "${" || list.of(here.partner) != "}") return hole(expression);
      append(pieces, read({&list, {at + 1, here.partner}}, depth + 1));
      at = here.partner + 1;
    }
    return pieces;
  }

  Pieces read_call(const Expression& expression, int depth) {
    const std::string_view name = expression.list->of(expression.range.first);
    const std::vector<Expression> arguments = arguments_of(expression);
    if (name == "tostring" && arguments.size() == 1) return read(arguments[0], depth + 1);
    if ((name == "lower" || name == "upper") && arguments.size() == 1) {
      const Letters letters = name == "lower" ? Letters::lower : Letters::upper;
      return with_letters(expression, read(arguments[0], depth + 1), letters);
    }
    if (name == "format" && !arguments.empty()) return read_format(expression, arguments, depth);
    if (name == "join" && arguments.size() == 2) return read_join(expression, arguments, depth);
    return hole(expression);
  }

  static std::vector<Expression> arguments_of(const Expression& call) {
    std::vector<Expression> arguments;
    std::size_t begin = call.range.first + 2;
    const std::size_t end = call.range.last - 1;
    for (std::size_t at = begin; at <= end;) {
      if (at == end || call.list->of(at) == ",") {
        if (at > begin) arguments.push_back({call.list, {begin, at}});
        begin = at + 1;
      }
      const std::size_t partner = call.list->tokens[at].partner;
      at = partner > at && at != end ? partner + 1 : at + 1;
    }
    return arguments;
  }

  static Pieces with_letters(const Expression& expression, Pieces pieces, Letters letters) {
    for (Piece& piece : pieces) {
      if (piece.literal && !is_ascii(piece.text)) return hole(expression);
      if (piece.literal) {
        piece.text = letters == Letters::lower ? lower(piece.text) : upper(piece.text);
      } else {
        piece.letters = letters;
      }
    }
    return pieces;
  }

  // format("coder-%s-home", …): %s and %v only, and %% for itself.
  Pieces read_format(const Expression& expression, const std::vector<Expression>& arguments, int depth) {
    const Pieces pattern = read(arguments[0], depth + 1);
    if (pattern.size() != 1 || !pattern[0].literal) return hole(expression);
    Pieces pieces;
    std::size_t used = 1;
    const std::string& text = pattern[0].text;
    for (std::size_t at = 0; at < text.size(); ++at) {
      const char letter = text[at] == '%' && at + 1 < text.size() ? text[at + 1] : '\0';
      if (text[at] != '%' || letter == '%') {
        append(pieces, {std::string(1, text[at]), true, Letters::as_written});
        at += letter == '%' ? 1 : 0;
        continue;
      }
      if ((letter != 's' && letter != 'v') || used >= arguments.size()) return hole(expression);
      append(pieces, read(arguments[used++], depth + 1));
      ++at;
    }
    return used == arguments.size() ? pieces : hole(expression);
  }

  Pieces read_join(const Expression& expression, const std::vector<Expression>& arguments, int depth) {
    const Pieces separator = read(arguments[0], depth + 1);
    const auto items = list_items(followed(arguments[1], locals_));
    if (separator.size() > 1 || (separator.size() == 1 && !separator[0].literal) || !items)
      return hole(expression);
    Pieces pieces;
    for (std::size_t i = 0; i < items->size(); ++i) {
      if (i > 0) append(pieces, separator);
      append(pieces, read((*items)[i], depth + 1));
    }
    return pieces;
  }

  const Locals& locals_;
  int steps_ = 0;
  std::size_t bytes_ = 0;  // of text looked at
};

}  // namespace

std::vector<Piece> pieces_of(const Expression& expression, const Locals& locals) {
  return PieceReader(locals).read(expression, 0);
}

std::optional<std::string> resolve(const Setting& setting, const Values& values) {
  if (setting.is_literal()) return setting.value;
  if (setting.is_absent()) return std::nullopt;
  std::string text;
  for (const Piece& piece : setting.pieces) {
    const auto known = piece.literal ? values.end() : values.find(piece.text);
    if (!piece.literal && known == values.end()) return std::nullopt;
    const std::string& part = piece.literal ? piece.text : known->second;
    const bool changes = piece.letters != Letters::as_written;
    if (changes && !is_ascii(part)) return std::nullopt;
    text += !changes ? part : piece.letters == Letters::lower ? lower(part) : upper(part);
  }
  return text;
}

}  // namespace truenas::coder
