#pragma once
// NamePattern: a regular expression over object names that cannot make the program hang or eat its memory.
// POSIX extended syntax, searched anywhere in the name unless anchored. It must not be used on long texts.

#include <memory>
#include <string>

#include "lib/base/result.h"

namespace truenas::coder {

class NamePattern {
 public:
  // Kind::usage for one that is malformed, longer than 256 characters, refers back to a group ("\1"), or
  // repeats so much that its automaton would be huge.
  static Result<NamePattern> compile(const std::string& text);
  bool matches(const std::string& name) const;

 private:
  struct Compiled;
  std::shared_ptr<const Compiled> compiled_;
};

}  // namespace truenas::coder
