#pragma once
// FactBook: the journal's write-once facts, as far as a workflow needs them (engine/journal.h behind it).

#include <functional>
#include <map>
#include <string>

#include "lib/base/result.h"

namespace truenas::workflow {

// Keys are letters, digits, "-" and "."; values are short text or JSON, without secrets.
struct FactBook {
  // Everything written so far; empty when there is no journal yet.
  std::function<Result<std::map<std::string, std::string>>()> read;
  // Kind::conflict when the key has another value already; ok when it has this one.
  std::function<Result<void>(const std::string& key, const std::string& value)> write;
};

}  // namespace truenas::workflow
