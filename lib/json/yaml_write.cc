#include <fmt/format.h>

#include <algorithm>

#include "lib/json/value.h"
#include "lib/json/yaml_scalar.h"

namespace truenas::json {
namespace {

constexpr std::size_t k_simple_key = 1000;
constexpr std::string_view k_first_indicators = "#,[]{}&*!|>'\"%@`";

bool is_blank(std::string_view text, std::size_t at) {
  return at >= text.size() || text[at] == ' ' || text[at] == '\n' || text[at] == '\t';
}

// The code point at `at`, and how many bytes it takes. `text` is UTF-8 or a byte stands for itself.
std::pair<std::uint32_t, std::size_t> code_point(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i]));
  };
  const std::uint32_t lead = byte(at);
  const std::size_t length = lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (length == 1 || at + length > text.size()) return {lead, 1};
  std::uint32_t point = lead & (0xffu >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) point = (point << 6) | (byte(at + i) & 0x3f);
  return {point, length};
}

// What go-yaml writes as it is; the rest it escapes.
bool is_printable(std::uint32_t point) {
  return (point >= 0x20 && point <= 0x7e) || (point >= 0xa0 && point < 0x2028) ||
         (point > 0x2029 && point <= 0xd7ff) || (point >= 0xe000 && point <= 0xfffd && point != 0xfeff);
}

// True when every character but line feeds may stand unescaped.
bool all_printable(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto [point, length] = code_point(text, i);
    if (point != '\n' && !is_printable(point)) return false;
    i += length;
  }
  return true;
}

// Whether the characters allow a plain scalar in block context (YAML 1.1, as libyaml analyses it).
bool plain_characters(std::string_view text) {
  if (text.empty() || text.front() == ' ' || text.back() == ' ') return false;
  if (text.starts_with("---") || text.starts_with("...")) return false;
  if (k_first_indicators.find(text.front()) != std::string_view::npos) return false;
  if ((text[0] == '?' || text[0] == ':' || text[0] == '-') && is_blank(text, 1)) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ':' && is_blank(text, i + 1)) return false;
    if (text[i] == '#' && i > 0 && is_blank(text, i - 1)) return false;
  }
  return true;
}

// Whether a literal block keeps the text exactly, for every reader.
bool literal_allowed(std::string_view text) {
  if (!all_printable(text) || is_blank(text, 0) || text.back() == ' ') return false;
  return text.find(" \n") == std::string_view::npos;
}

std::string double_quoted(std::string_view text) {
  std::string out = "\"";
  for (std::size_t i = 0; i < text.size();) {
    const auto [point, length] = code_point(text, i);
    if (point == '"' || point == '\\') {
      out += '\\';
      out += text[i];
    } else if (point == '\n') {
      out += "\\n";
    } else if (point == '\t') {
      out += "\\t";
    } else if (point == '\r') {
      out += "\\r";
    } else if (is_printable(point)) {
      out += text.substr(i, length);
    } else if (point <= 0xff) {
      out += fmt::format("\\x{:02X}", point);
    } else if (point <= 0xffff) {
      out += fmt::format("\\u{:04X}", point);
    } else {
      out += fmt::format("\\U{:08X}", point);
    }
    i += length;
  }
  return out + '"';
}

std::string single_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') out += '\'';
    out += c;
  }
  return out + '\'';
}

// A string on one line, in the form go-yaml chooses.
std::string one_line(const std::string& text) {
  if (!resolves_to_string(text) || !all_printable(text) || text.find('\n') != std::string::npos) {
    return double_quoted(text);
  }
  return plain_characters(text) ? text : single_quoted(text);
}

class YamlWriter {
 public:
  explicit YamlWriter(std::string& out) : out_(out) {}

  // Writes `value` after what stands on the line already ("key:", "-", or nothing); `column` is where the
  // parent's key or dash stands. Ends with a line feed.
  void write(const Value& value, std::size_t column, bool in_sequence, bool top) {
    if (value.is_object() && !value.members().empty()) return write_object(value, column, in_sequence, top);
    if (value.is_array() && !value.items().empty())
      return write_array(value.items(), column, in_sequence, top);
    if (!top) out_ += ' ';
    write_scalar(value, column);
  }

 private:
  void write_object(const Value& value, std::size_t column, bool in_sequence, bool top) {
    std::vector<const Value::Member*> members;
    for (const Value::Member& member : value.members()) members.push_back(&member);
    std::sort(members.begin(), members.end(),
              [](const auto* a, const auto* b) { return a->first < b->first; });
    const std::size_t own = top ? column : column + 2;
    if (!top) out_ += in_sequence ? " " : "\n";
    bool on_line = top || in_sequence;  // the first key shares the dash's line
    for (const Value::Member* member : members) {
      if (!on_line) out_.append(own, ' ');
      on_line = false;
      write_key(one_line(member->first), own);
      write(member->second, own, false, false);
    }
  }

  void write_key(const std::string& key, std::size_t column) {
    // Readers look no further than 1024 characters for the colon of a simple key.
    if (key.size() <= k_simple_key) {
      out_ += key + ":";
      return;
    }
    out_ += "? " + key + "\n";
    out_.append(column, ' ') += ':';
  }

  void write_array(const Value::Array& items, std::size_t column, bool in_sequence, bool top) {
    // go-yaml puts a sequence's dashes under its key, not beside it.
    const std::size_t own = in_sequence ? column + 2 : column;
    if (!top) out_ += in_sequence ? " " : "\n";
    bool on_line = top || in_sequence;
    for (const Value& item : items) {
      if (!on_line) out_.append(own, ' ');
      on_line = false;
      out_ += '-';
      write(item, own, true, false);
    }
  }

  void write_scalar(const Value& value, std::size_t column) {
    const std::string& text = value.text();
    if (!value.is_string()) {
      // Empty containers, numbers, booleans and null are the same in JSON.
      out_ += truenas::json::write(value) + "\n";
    } else if (text.find('\n') != std::string::npos && literal_allowed(text)) {
      write_literal(text, column + 2);
    } else {
      out_ += one_line(text) + "\n";
    }
  }

  void write_literal(std::string_view text, std::size_t indent) {
    out_ += !text.ends_with('\n') ? "|-" : text.ends_with("\n\n") ? "|+" : "|";
    while (!text.empty()) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      out_ += '\n';
      if (end > 0) out_.append(indent, ' ').append(text.substr(0, end));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
    out_ += '\n';
  }

  std::string& out_;
};

}  // namespace

std::string write_yaml(const Value& value) {
  std::string out;
  YamlWriter(out).write(value, 0, false, true);
  return out;
}

}  // namespace truenas::json
