#include <string>

#include "lib/json/value.h"

namespace truenas::json {
namespace {

constexpr std::size_t k_indent = 4;

void write_string(std::string& out, std::string_view text) {
  constexpr std::string_view hex = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c == '\r') {
      out += "\\r";
    } else if (byte < 0x20 || byte == 0x7f) {
      // DEL is legal in JSON, but a terminal must not get it raw.
      out += "\\u00";
      out += hex[byte >> 4];
      out += hex[byte & 15];
    } else {
      out += c;
    }
  }
  out += '"';
}

class Writer {
 public:
  Writer(std::string& out, bool pretty) : out_(out), pretty_(pretty) {}

  void write(const Value& value) {
    switch (value.type()) {
      case Value::Type::null:
        out_ += "null";
        break;
      case Value::Type::boolean:
        out_ += value.boolean_or(false) ? "true" : "false";
        break;
      case Value::Type::number:
        out_ += value.spelled();
        break;
      case Value::Type::string:
        write_string(out_, value.text());
        break;
      case Value::Type::array:
        write_array(value.items());
        break;
      case Value::Type::object:
        write_object(value.members());
        break;
    }
  }

 private:
  void write_array(const Value::Array& items) {
    open('[');
    for (const Value& item : items) {
      separate(&item == &items.front());
      write(item);
    }
    close(']', items.empty());
  }

  void write_object(const Value::Object& members) {
    open('{');
    for (const Value::Member& member : members) {
      separate(&member == &members.front());
      write_string(out_, member.first);
      out_ += pretty_ ? ": " : ":";
      write(member.second);
    }
    close('}', members.empty());
  }

  void open(char bracket) {
    out_ += bracket;
    ++depth_;
  }

  void separate(bool first) {
    if (!first) out_ += ',';
    new_line();
  }

  void close(char bracket, bool empty) {
    --depth_;
    if (!empty) new_line();
    out_ += bracket;
  }

  void new_line() {
    if (!pretty_) return;
    out_ += '\n';
    out_.append(depth_ * k_indent, ' ');
  }

  std::string& out_;
  bool pretty_;
  std::size_t depth_ = 0;
};

}  // namespace

std::string write(const Value& value) {
  std::string out;
  Writer(out, false).write(value);
  return out;
}

std::string write_pretty(const Value& value) {
  std::string out;
  Writer(out, true).write(value);
  return out;
}

}  // namespace truenas::json
