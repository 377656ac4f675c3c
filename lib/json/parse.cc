#include <fmt/format.h>
#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include "lib/base/text.h"
#include "lib/json/parse_internal.h"
#include "lib/json/piece_parser.h"
#include "lib/json/sax_builder.h"
#include "lib/json/value_internal.h"

namespace truenas::json {
namespace {

// Iterative: a hostile document must not use up the stack. Numbers as strings: they keep their spelling.
constexpr unsigned k_parse_flags = rapidjson::kParseIterativeFlag | rapidjson::kParseNumbersAsStringsFlag |
                                   rapidjson::kParseValidateEncodingFlag;

std::string reason_of(rapidjson::ParseErrorCode code) {
  std::string_view reason = rapidjson::GetParseError_En(code);
  if (!reason.empty() && reason.back() == '.') reason.remove_suffix(1);
  return lower(reason);
}

// Errors inside a token, which more text would not mend.
bool spoils_token(rapidjson::ParseErrorCode code) {
  return code == rapidjson::kParseErrorNumberTooBig || code == rapidjson::kParseErrorStringInvalidEncoding ||
         code == rapidjson::kParseErrorStringEscapeInvalid ||
         code == rapidjson::kParseErrorStringUnicodeSurrogateInvalid ||
         code == rapidjson::kParseErrorStringUnicodeEscapeInvalidHex;
}

}  // namespace

Result<Value> parse_filtered(std::string_view text, std::string_view source, std::uint64_t offset,
                             const Filter* filter) {
  rapidjson::MemoryStream stream(text.data(), text.size());
  rapidjson::Reader reader;
  SaxBuilder builder(filter);
  const rapidjson::ParseResult outcome = reader.Parse<k_parse_flags>(stream, builder);
  if (builder.too_deep()) {
    return unexpected(source, offset + stream.Tell(),
                      fmt::format("nested deeper than {} levels", k_depth_limit));
  }
  if (outcome.IsError()) {
    // Running out of text shows as whatever the parser missed next; the reader needs to know it was cut.
    if (stream.Tell() >= text.size() && !spoils_token(outcome.Code())) {
      return unexpected(source, offset + text.size(), "it ends too early");
    }
    return unexpected(source, offset + outcome.Offset(), reason_of(outcome.Code()));
  }
  // A NUL byte looks to RapidJSON like the end of the text.
  if (stream.Tell() != text.size()) return unexpected(source, offset + stream.Tell(), "unexpected NUL byte");
  return builder.take();
}

Result<Value> parse(std::string_view text, std::string_view source) {
  if (trim(text).empty()) return make_error(Kind::format, fmt::format("{}: it is empty", source));
  return parse_filtered(text, source, 0, nullptr);
}

}  // namespace truenas::json
