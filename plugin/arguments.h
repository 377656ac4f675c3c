#pragma once
// Arguments: the command line as kubectl's users write it, read against a table of flags. The same table
// prints --help. It knows nothing of what a flag means; no command is run from here.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lib/base/result.h"

namespace truenas::plugin {

struct Flag {
  std::string name;      // "namespace"
  char short_name = 0;   // 'n'
  std::string value;     // placeholder of its value ("NAME"); "" for a yes/no flag
  std::string help;      // one sentence
  std::string fallback;  // shown and used when not given; "" for none
  bool repeated = false;
  std::string bare;  // value of the flag given without "=value" (--dry-run); "" where a value must follow
};

struct FlagGroup {
  std::string title;  // "Flags", "Connection flags"
  std::vector<Flag> flags;
};

class Arguments {
 public:
  // True when the flag stood on the command line.
  bool given(const std::string& name) const;
  // Its value, or the table's fallback.
  std::string text(const std::string& name) const;
  std::optional<std::string> optional_text(const std::string& name) const;
  std::vector<std::string> texts(const std::string& name) const;
  // A yes/no flag: --name or --name=true; fallback false.
  bool yes(const std::string& name) const;
  const std::vector<std::string>& positionals() const { return positionals_; }

 private:
  friend Result<Arguments> parse_arguments(const std::vector<FlagGroup>&, std::vector<std::string>);
  std::map<std::string, std::vector<std::string>> values_;
  std::map<std::string, std::string> fallbacks_;
  std::vector<std::string> positionals_;
};

// Reads `words` (without the program's and the command's name). Kind::usage with "did you mean" for an
// unknown flag. Accepts kubectl's spellings: --flag=v, --flag v, -fv, -f v, -f=v, and "--" before positionals
// that begin with "-".
Result<Arguments> parse_arguments(const std::vector<FlagGroup>& groups, std::vector<std::string> words);

// A flag's number; Kind::usage for what is none between these.
Result<std::size_t> read_count(const Arguments& arguments, const std::string& flag, std::size_t least,
                               std::size_t most);

// The flags' part of --help, aligned.
std::string render_flags(const std::vector<FlagGroup>& groups);

}  // namespace truenas::plugin
