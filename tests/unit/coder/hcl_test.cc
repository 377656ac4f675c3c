// Tokens and blocks of HCL: what counts as text, what as structure, and what is refused.

#include <doctest/doctest.h>

#include <string>

#include "lib/coder/hcl_body.h"
#include "lib/coder/hcl_token.h"

using namespace truenas;
using namespace truenas::coder;

namespace {

// "identifier:a symbol:= …"
std::string shape_of(const std::string& text) {
  static constexpr const char* names[] = {"id", "num", "sym", "open", "close", "nl", "qo",
                                          "qc", "ho",  "hc",  "lit",  "to",    "tc", "end"};
  const auto list = tokenize(text, "main.tf");
  if (!list.ok()) return list.error().what;
  std::string shape;
  for (std::size_t i = 0; i + 1 < list->tokens.size(); ++i) {
    const TokenKind kind = list->tokens[i].kind;
    shape += (i == 0 ? "" : " ") + std::string(names[static_cast<std::size_t>(kind)]);
    if (kind == TokenKind::identifier || kind == TokenKind::number || kind == TokenKind::symbol)
      shape += ":" + std::string(list->of(i));
  }
  return shape;
}

std::string error_of(const std::string& text) {
  const auto list = tokenize(text, "main.tf");
  if (!list.ok()) return list.error().what;
  const auto body = read_body(list.value());
  return body.ok() ? "" : body.error().what;
}

std::string repeated(const std::string& text, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}

}  // namespace

TEST_CASE("tokens") {
  CHECK(shape_of("a = 1.5e3\n") == "id:a sym:= num:1.5e3 nl");
  CHECK(shape_of("a # b = {\r\nc") == "id:a nl id:c");
  CHECK(shape_of("a // \"\nc") == "id:a nl id:c");
  CHECK(shape_of("a /* \n } \" <<EOT */ b") == "id:a id:b");
  CHECK(shape_of("\xef\xbb\xbf"
                 "a") == "id:a");
  CHECK(shape_of("spec[0].x-y.0.z") == "id:spec open num:0 close sym:. id:x-y sym:. num:0 sym:. id:z");
  CHECK(shape_of("a...b=>c==d!e::f") == "id:a sym:... id:b sym:=> id:c sym:== id:d sym:! id:e sym::: id:f");
  CHECK(shape_of(R"("a\"b" "" "${x}")") == "qo lit qc qo qc qo to id:x tc qc");
  CHECK(shape_of(R"("a${ "b${c}" }d%{ if e ~}f%{~ endif }")") ==
        "qo lit to qo lit to id:c tc qc tc lit to id:if id:e tc lit to id:endif tc qc");
  CHECK(shape_of(R"("$${a} %%{b} $x 5% $$")") == "qo lit qc");
  CHECK(shape_of("\"${{a = {}}}\"") == "qo to open id:a sym:= open close close tc qc");
  CHECK(shape_of("\"${\n a }\"") == "qo to nl id:a tc qc");
}

TEST_CASE("heredocs") {
  CHECK(shape_of("a = <<EOT\n} \" # ${x}\n  EOT\nb\n") == "id:a sym:= ho lit to id:x tc lit hc nl id:b nl");
  CHECK(shape_of("a = <<-E_1\r\n  x\r\n  E_1\r\nb") == "id:a sym:= ho lit hc nl id:b");
  CHECK(shape_of("<<A\nEOT\nA x\n${y}A\n AA\nA\n") == "ho lit lit to id:y tc lit lit hc nl");
  CHECK(shape_of("<<A\n\\${x}\n\"\nA\n") == "ho lit to id:x tc lit lit hc nl");
  CHECK(shape_of("<<A\nA\n") == "ho hc nl");
  CHECK(shape_of("<<A\n\xc2\xa0\tA\xe2\x80\xa8 \n") == "ho hc nl");
  CHECK(shape_of("[<<A\nx\nA\n, <<B\ny\nB\n]") == "open ho lit hc nl sym:, ho lit hc nl close");
}

TEST_CASE("every token keeps its place") {
  const std::string text = "a {\r\n  b = \"x\" # c\r\n}\r\n";
  const auto list = tokenize(text, "main.tf");
  REQUIRE(list.ok());
  std::size_t at = 0;
  for (const Token& token : list->tokens) {
    CHECK(token.begin >= at);
    CHECK(token.end >= token.begin);
    at = token.end;
  }
  CHECK(at == text.size());
  CHECK(list->tokens[3].line == 2);
  CHECK(list->of(3) == "b");
  CHECK(list->tokens[1].partner == 9);
  CHECK(list->tokens[9].partner == 1);
}

TEST_CASE("what is no HCL is refused with its line") {
  CHECK(error_of("a = \"x\nb = 1\n") == "main.tf:1: \"\\\"\" is never closed");
  CHECK(error_of("\n\na = \"${x\"\n") == "main.tf:3: \"\\\"\" is never closed");
  CHECK(error_of("a = <<EOT\nx\nEOT") == "main.tf:1: \"<<EOT\" is never closed");
  CHECK(error_of("a = <<EOT x\nEOT\n") ==
        "main.tf:1: heredoc marker \"EOT\" is not alone at the end of its line");
  CHECK(error_of("\na {\n") == "main.tf:2: \"{\" is never closed");
  CHECK(error_of("\n\n/* x") == "main.tf:3: comment is never closed");
  CHECK(error_of("a = (1]\n") == "main.tf:1: \"]\" closes nothing that is open");
  CHECK(error_of("}\n") == "main.tf:1: \"}\" closes nothing that is open");
  CHECK(error_of("\na = 'x'\n") == "main.tf:2: unexpected \"'\"");
  CHECK(error_of(std::string("a = 1\nb\0", 8)) == "main.tf:2: NUL byte");
  CHECK(error_of("a = 1\n# \xff\n") == "main.tf:2: not UTF-8");
  CHECK(error_of("# \xed\xa0\x80\n") == "main.tf:1: not UTF-8");
  CHECK(error_of("# \xc3") == "main.tf:1: not UTF-8");
  CHECK(error_of("# \xc3\xa9 \xf0\x9f\x98\x80") == "");
  CHECK(error_of("a = \n") == "main.tf:1: attribute a has no value");
  CHECK(error_of("a\n") == "main.tf:1: expected = or { after a, found the end of the line");
  CHECK(error_of("a \"b\" = 1\n") == "main.tf:1: expected = or { after a, found \"=\"");
  CHECK(error_of("a = 1\na = 2\n") == "main.tf:2: attribute a is set twice");
  CHECK(error_of("\"a\" = 1\n") == "main.tf:1: expected an attribute or a block, found \"\\\"\"");
  CHECK(error_of("a {} b {}\n") == "main.tf:1: expected a new line after a block, found \"b\"");
  CHECK(error_of("a \"${b}\" {}\n") == "main.tf:1: a block's label holds a template");
}

TEST_CASE("depth and length do no harm") {
  for (const char* opener : {"(", "[", "{", "a {\n", "\"${", "a = <<A\n${"}) {
    CAPTURE(opener);
    CHECK(error_of("x = " + repeated(opener, 20000)) != "");
  }
  CHECK(error_of("a = " + repeated("(", 101) + repeated(")", 101)) ==
        "main.tf:1: nested more than 100 levels deep");
  CHECK(error_of("a = " + repeated("(", 90) + "1" + repeated(")", 90)) == "");
  CHECK(error_of(repeated("a {\n", 90) + repeated("}\n", 90)) == "");
  std::string many;
  for (int i = 0; i < 20000; ++i) many += "a" + std::to_string(i) + " = \"${b}\"\nb {}\n";
  CHECK(error_of(many) == "");
  CHECK(error_of(std::string((16u << 20) + 1, ' ')) == "main.tf:1: more than 16777216 bytes");
  CHECK(error_of("a = <<A\n" + repeated("A x\n", 20000) + "A\n") == "");
}

TEST_CASE("blocks, labels, attributes, one line or many") {
  const std::string text =
      "a \"b\" c \"\" {\n  x = [\n    1,\n  ]\n  d { y = {\n    z = 1\n  } }\n  d {}\n}\nlocals { p = 1 }\n";
  const auto list = tokenize(text, "main.tf");
  REQUIRE(list.ok());
  const auto body = read_body(list.value());
  REQUIRE(body.ok());
  REQUIRE(body->blocks.size() == 2);
  const Block& first = body->blocks[0];
  CHECK(first.type == "a");
  CHECK(first.labels == std::vector<std::string>{"b", "c", ""});
  REQUIRE(first.find_attribute("x") != nullptr);
  CHECK(first.find_attribute("y") == nullptr);
  CHECK(first.blocks.size() == 2);
  REQUIRE(first.find_block("d") != nullptr);
  CHECK(first.find_block("d")->find_attribute("y") != nullptr);
  CHECK(body->blocks[1].find_attribute("p") != nullptr);
  CHECK(list->of(first.close) == "}");
}

TEST_CASE("what literals mean") {
  const auto value = [](const std::string& text) -> std::string {
    const auto list = tokenize(text, "main.tf");
    REQUIRE(list.ok());
    const auto result = literal_value(list.value(), 1, text.front() == '"');
    return result.ok() ? result.value() : result.error().what;
  };
  CHECK(value(R"("a\tb\\\"\n")") == "a\tb\\\"\n");
  CHECK(value(R"("\u00e9\U0001F600")") == "\xc3\xa9\xf0\x9f\x98\x80");
  CHECK(value(R"("$${a} %%{b} $a $$$${c}")") == "${a} %{b} $a $$${c}");
  CHECK(value(R"("\q")") == "main.tf:1: HCL knows no escape \"\\\\q\"");
  CHECK(value(R"("\ud800")") == "main.tf:1: HCL knows no escape \"\\\\u\"");
  CHECK(value(R"("\u12")") == "main.tf:1: HCL knows no escape \"\\\\u\"");
  CHECK(value("<<A\na\\n$${b}\nA\n") == "a\\n${b}\n");
}
