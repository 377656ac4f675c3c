#pragma once
// One setting of a template: absent, a literal, or undecided with the parts that its text is put together of.
// Knows the text only; what an expression stands for in a workspace is given to it.

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace truenas::coder {

// What references stand for in one workspace, by the expression as written without white space:
// "data.coder_workspace.me.id", "data.coder_parameter.home_disk_size.value", "var.namespace".
using Values = std::map<std::string, std::string>;

// One part of a text that an expression makes.
struct Piece {
  enum class Letters { as_written, lower, upper };
  std::string text;  // the literal text, or the expression without white space
  bool literal = true;
  Letters letters = Letters::as_written;  // what lower() or upper() around the expression does to it
};

struct Setting {
  enum class State {
    absent,     // the template does not speak of it
    literal,    // `value`, whatever the workspace: a literal, or a local that is one
    undecided,  // depends on what the text does not hold; `pieces` say on what
  };
  State state = State::absent;
  std::string value;
  std::string expression;     // as written; "" where absent
  std::vector<Piece> pieces;  // never empty where undecided
  std::string file;
  std::size_t line = 0;  // from 1; 0 where absent

  bool is_absent() const { return state == State::absent; }
  bool is_literal() const { return state == State::literal; }
  bool is_undecided() const { return state == State::undecided; }
};

// The text of a setting in a workspace of which `values` are known; nullopt when absent or still undecided.
std::optional<std::string> resolve(const Setting& setting, const Values& values);

}  // namespace truenas::coder
