#pragma once
// Parsing of one document with a filter and a place for error messages. Private to lib/json.

#include <cstdint>
#include <string_view>

#include "lib/json/filter.h"
#include "lib/json/value.h"

namespace truenas::json {

// `offset`: where `text` begins in the whole body that `source` names.
Result<Value> parse_filtered(std::string_view text, std::string_view source, std::uint64_t offset,
                             const Filter* filter);

}  // namespace truenas::json
