#pragma once
// The structure of an HCL text: blocks with labels, attributes and blocks inside. Expressions stay what they
// are, a range of tokens; lib/coder/hcl_expression.h looks into them.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "lib/coder/hcl_token.h"

namespace truenas::coder {

// Tokens [first, last) of a list.
struct TokenRange {
  std::size_t first = 0, last = 0;
  bool empty() const { return first >= last; }
};

struct Attribute {
  std::string name;
  std::size_t name_token = 0;
  TokenRange value;
};

struct Block {
  std::string type;
  std::vector<std::string> labels;
  std::vector<Attribute> attributes;
  std::vector<Block> blocks;
  std::size_t type_token = 0, open = 0, close = 0;  // tokens; of the file itself open is 0, close the end

  const Attribute* find_attribute(std::string_view name) const;
  // The first block of that type without regard to labels; null when there is none.
  const Block* find_block(std::string_view type) const;
};

// The file as a block without type. Kind::format, "main.tf:12: …", also for an attribute given twice.
Result<Block> read_body(const TokenList& list);

}  // namespace truenas::coder
