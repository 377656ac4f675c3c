#pragma once
// Tokens of HCL's native syntax (HCL 2, as Terraform reads it), each with its place in the text, so that the
// text can be changed and everything else kept byte for byte. Knows nothing of Terraform. Linear in the
// text's length; nothing recurses.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"

namespace truenas::coder {

enum class TokenKind : std::uint8_t {
  identifier,
  number,
  symbol,         // an operator or a separator: "=", "==", "?", ","
  open,           // ( [ {
  close,          // ) ] }
  newline,        // also the end of a # or // comment
  quote_open,     // "
  quote_close,    // "
  heredoc_open,   // <<EOT or <<-EOT with its newline
  heredoc_close,  // EOT with the white space before it
  literal,        // text inside quotes or a heredoc, escapes as written
  template_open,  // ${ or %{, also ${~
  template_close,
  end,
};

struct Token {
  TokenKind kind = TokenKind::end;
  std::size_t begin = 0, end = 0;  // bytes of the text
  std::size_t line = 0;            // from 1
  std::size_t partner = 0;         // index of the token that closes or opens this one; 0 where it has none
};

struct TokenList {
  std::string file;
  std::string_view text;  // must outlive the list
  std::vector<Token> tokens;

  std::string_view of(std::size_t index) const {
    return text.substr(tokens[index].begin, tokens[index].end - tokens[index].begin);
  }
};

// Comments are left out. `file` names the text in errors: Kind::format, "main.tf:12: …". Refused: what is not
// UTF-8, NUL, anything unterminated or that closes what it did not open, more than 100 levels of nesting, and
// more than 16 MiB.
Result<TokenList> tokenize(std::string_view text, std::string_view file);

// The value of a literal token: escapes resolved in quotes, "$${" made "${" in both. Kind::format for an
// escape that HCL does not know.
Result<std::string> literal_value(const TokenList& list, std::size_t index, bool in_quotes);

}  // namespace truenas::coder
