#pragma once
// Changes to an HCL text that leave every other byte where it was. Private to lib/coder.

#include <string>
#include <string_view>
#include <vector>

#include "lib/coder/hcl_body.h"

namespace truenas::coder {

class TextEdit {
 public:
  explicit TextEdit(const TokenList& list);

  // The attribute with its line, and with the comment behind it.
  void remove(const Attribute& attribute);
  // The block with its lines.
  void remove(const Block& block);
  void replace_value(const Attribute& attribute, std::string_view value);
  // Lines ("a = 1", "b {", "  c = 2", "}") at the end of a block, indented as it is; a block on one line is
  // opened up.
  void append_to(const Block& block, const std::vector<std::string>& lines);
  // The same after the last line of the text.
  void append(const std::vector<std::string>& lines);

  // The text with all of it done.
  std::string text() const;

 private:
  struct Replacement {
    std::size_t begin, end;
    std::string text;
  };
  std::size_t line_start(std::size_t at) const;
  bool begins_line(std::size_t at) const;
  void remove_bytes(std::size_t begin, std::size_t end, std::size_t after);

  const TokenList& list_;
  std::string line_end_;
  std::vector<Replacement> replacements_;
};

}  // namespace truenas::coder
