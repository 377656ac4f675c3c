#include "lib/coder/hcl_body.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "lib/base/text.h"

namespace truenas::coder {
namespace {

class BodyReader {
 public:
  explicit BodyReader(const TokenList& list) : list_(list) {}

  Result<Block> run() {
    // Blocks that are still open; a block joins its parent when it closes.
    open_.emplace_back();
    names_.emplace_back();
    open_.back().close = list_.tokens.size() - 1;
    while (kind() != TokenKind::end) {
      if (kind() == TokenKind::newline) {
        ++at_;
      } else if (kind() == TokenKind::close && open_.size() > 1) {
        TM_TRY(close_block());
      } else {
        TM_TRY(read_item());
      }
    }
    return std::move(open_.front());
  }

 private:
  TokenKind kind(std::size_t ahead = 0) const {
    return list_.tokens[std::min(at_ + ahead, list_.tokens.size() - 1)].kind;
  }
  bool is(std::string_view text) const { return list_.of(at_) == text; }
  Error failure(std::string_view what) const {
    return make_error(Kind::format, fmt::format("{}:{}: {}", list_.file, list_.tokens[at_].line, what));
  }
  std::string here() const {
    if (kind() == TokenKind::end) return "the end of the file";
    return kind() == TokenKind::newline ? "the end of the line" : quote(list_.of(at_));
  }

  Result<void> read_item() {
    if (kind() != TokenKind::identifier)
      return failure(fmt::format("expected an attribute or a block, found {}", here()));
    const std::size_t name = at_++;
    if (kind() == TokenKind::symbol && is("=")) return read_attribute(name);
    return read_block(name);
  }

  Result<void> read_attribute(std::size_t name) {
    const std::string spelled(list_.of(name));
    if (!names_.back().insert(list_.of(name)).second)
      return failure(fmt::format("attribute {} is set twice", printable(spelled)));
    const std::size_t first = ++at_;
    while (kind() != TokenKind::newline && kind() != TokenKind::end && kind() != TokenKind::close) {
      const std::size_t partner = list_.tokens[at_].partner;
      at_ = partner > at_ ? partner + 1 : at_ + 1;
    }
    if (at_ == first) return failure(fmt::format("attribute {} has no value", printable(spelled)));
    open_.back().attributes.push_back({spelled, name, {first, at_}});
    return {};
  }

  Result<void> read_block(std::size_t name) {
    Block block;
    block.type = list_.of(name);
    block.type_token = name;
    while (kind() == TokenKind::identifier || kind() == TokenKind::quote_open) {
      TM_TRY_ASSIGN(std::string label, read_label());
      block.labels.push_back(std::move(label));
    }
    if (kind() != TokenKind::open || !is("{"))
      return failure(fmt::format("expected = or {{ after {}, found {}", printable(block.type), here()));
    block.open = at_;
    block.close = list_.tokens[at_].partner;
    ++at_;
    open_.push_back(std::move(block));
    names_.emplace_back();
    return {};
  }

  Result<std::string> read_label() {
    if (kind() == TokenKind::identifier) return std::string(list_.of(at_++));
    const std::size_t close = list_.tokens[at_].partner;
    if (close > at_ + 2 || (close == at_ + 2 && kind(1) != TokenKind::literal))
      return failure("a block's label holds a template");
    std::string label;
    if (close == at_ + 2) {
      TM_TRY_ASSIGN(label, literal_value(list_, at_ + 1, true));
    }
    at_ = close + 1;
    return label;
  }

  Result<void> close_block() {
    if (at_ != open_.back().close) return failure(fmt::format("unexpected {}", here()));
    ++at_;
    if (kind() != TokenKind::newline && kind() != TokenKind::end && kind() != TokenKind::close)
      return failure(fmt::format("expected a new line after a block, found {}", here()));
    Block block = std::move(open_.back());
    open_.pop_back();
    names_.pop_back();
    open_.back().blocks.push_back(std::move(block));
    return {};
  }

  const TokenList& list_;
  std::vector<Block> open_;
  std::vector<std::set<std::string_view>> names_;  // of the attributes of each
  std::size_t at_ = 0;
};

}  // namespace

const Attribute* Block::find_attribute(std::string_view name) const {
  const auto found = std::find_if(attributes.begin(), attributes.end(),
                                  [&](const Attribute& attribute) { return attribute.name == name; });
  return found == attributes.end() ? nullptr : &*found;
}

const Block* Block::find_block(std::string_view wanted) const {
  const auto found =
      std::find_if(blocks.begin(), blocks.end(), [&](const Block& block) { return block.type == wanted; });
  return found == blocks.end() ? nullptr : &*found;
}

Result<Block> read_body(const TokenList& list) {
  return BodyReader(list).run();
}

}  // namespace truenas::coder
