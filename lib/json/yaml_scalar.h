#pragma once
// What a plain (unquoted) YAML scalar means, as sigs.k8s.io/yaml (and so kubectl) resolves it. Private to
// lib/json.

#include <string>
#include <string_view>

#include "lib/json/value.h"

namespace truenas::json {

// null, boolean, number or the text itself. Kind::format for .nan and .inf, which JSON has no word for.
Result<Value> resolve_plain_scalar(const std::string& text);
// True when the text, written plain, would be read back as the same string by kubectl and by this parser
// (as far as its meaning goes; characters that end a plain scalar are the writer's business).
bool resolves_to_string(const std::string& text);
// Whether `text` is UTF-8 without NUL (RFC 3629).
bool is_text(std::string_view text);

}  // namespace truenas::json
