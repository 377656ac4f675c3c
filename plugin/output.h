#pragma once
// -o/--output: which form the answer on stdout takes (O1).

#include <string>

#include "lib/base/result.h"
#include "lib/json/value.h"

namespace truenas::plugin {

enum class OutputFormat { table, wide, json, yaml, name };

// Kind::usage with kubectl's wording for a format that is not offered.
Result<OutputFormat> parse_output_format(const std::string& text);
// Writes to stdout; Kind::unavailable when that fails (a closed pipe, a full disk).
Result<void> print_answer(const std::string& text);
// The document as JSON or YAML, with a final newline.
std::string render_document(const json::Value& document, OutputFormat format);

}  // namespace truenas::plugin
