// Templates with anything done to them: read or refused with a place, never a crash; and what the rewriter
// gives back reads as safe, and has the rest of the text as it was.

#include <doctest/doctest.h>

#include "lib/coder/hcl_body.h"
#include "lib/coder/template_rewrite.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/coder/home_template.h"

using namespace truenas;
using namespace truenas::coder;
using namespace truenas::fuzz;

namespace {

const std::vector<std::string> k_words = {"{",
                                          "}",
                                          "[",
                                          "]",
                                          "(",
                                          ")",
                                          "\"",
                                          "${",
                                          "%{",
                                          "$${",
                                          "~}",
                                          "\\",
                                          "<<EOT\n",
                                          "<<-E\n",
                                          "\nEOT\n",
                                          "# ",
                                          "//",
                                          "/*",
                                          "*/",
                                          "\n",
                                          "\r\n",
                                          "=",
                                          ",",
                                          ".",
                                          "all",
                                          "null",
                                          "\xff",
                                          "\xc3",
                                          "local.c",
                                          "spec {",
                                          "dynamic \"spec\" {",
                                          "lifecycle {",
                                          "ignore_changes = all\n",
                                          "storage_class_name = \"x\"\n",
                                          "resource \"kubernetes_persistent_volume_claim\" \"home\" {\n",
                                          "count = 0\n",
                                          "locals {\n  c = local.c\n}\n",
                                          "import {",
                                          "moved {",
                                          "removed {",
                                          "module \"m\" {",
                                          "1e9",
                                          "\\u00e9",
                                          "for "};

std::vector<std::string> seeds() {
  Shape plain, old_class, guarded, renamed;
  old_class.spec = class_line(k_old);
  old_class.around = "locals { c = \"truenas-nfs\" }\nmodule \"m\" {\n  source = \"./m\"\n}\n";
  guarded.spec = "    storage_class_name = local.c # <<\n";
  guarded.resource = ignore_line("[spec[0].storage_class_name]");
  guarded.around = "locals {\n  c = lower(\"A\")\n}\n";
  renamed.type = "kubernetes_persistent_volume_claim_v1";
  renamed.around =
      "moved {\n  from = kubernetes_persistent_volume_claim.home\n  to = " + renamed.type + ".home\n}\n";
  std::vector<std::string> texts;
  for (const Shape& shape : {plain, old_class, guarded, renamed}) texts.push_back(home_template(shape));
  return texts;
}

// Tokens lie in order, each partner points back, and an error names a line.
bool is_sound(const std::string& input) {
  const auto list = tokenize(input, "main.tf");
  if (!list.ok()) {
    REQUIRE(list.error().what.starts_with("main.tf:"));
    return false;
  }
  std::size_t at = 0;
  for (std::size_t i = 0; i < list->tokens.size(); ++i) {
    const Token& token = list->tokens[i];
    REQUIRE(token.begin >= at);
    REQUIRE(token.end >= token.begin);
    at = token.end;
    if (token.partner != 0) REQUIRE((list->tokens[token.partner].partner == i || token.partner < i));
  }
  REQUIRE(at <= input.size());
  return read_body(list.value()).ok();
}

// Whether all but the claim's own block is the same in both.
bool is_same_around(const std::string& before, const std::string& after, const std::string& label) {
  const auto list = tokenize(before, "main.tf");
  const auto body = read_body(list.value());
  for (const Block& block : body->blocks) {
    if (block.type != "resource" || block.labels.size() != 2 || block.labels[1] != label ||
        !is_claim_type(block.labels[0]))
      continue;
    return after.starts_with(before.substr(0, list->tokens[block.open].end)) &&
           after.ends_with(before.substr(list->tokens[block.close].begin));
  }
  return false;
}

}  // namespace

TEST_CASE("templates: read or refused, and rewritten only into what keeps the claim") {
  std::size_t read_well = 0, rewritten = 0;
  run(seeds(), k_words, 2500, [&](const std::string& input, Generator& generator) {
    CAPTURE(input);
    const bool sound = is_sound(input);
    const auto text = read_template({{"main.tf", input}});
    if (!sound) REQUIRE_FALSE(text.ok());
    if (!text.ok()) return;
    ++read_well;
    Question asked;
    asked.text = &text.value();
    asked.values = home_values();
    asked.old_class = k_old;
    asked.new_class = k_new;
    asked.before = Before{"kubernetes_persistent_volume_claim.home", Setting(), generator.one_in(2)};
    const Forecast now = forecast(asked, home_claim());
    REQUIRE_FALSE(now.now.consequence.empty());
    if (text->claims.empty()) return;
    const Correction correction = generator.one_in(2) ? Correction::remove_class : Correction::ignore_all;
    const std::vector<SourceFile> files = {{"main.tf", input}};
    const auto result = rewrite_template(files, text->claims[0].address(), correction, asked, home_claim());
    if (!result.ok()) return;
    ++rewritten;
    REQUIRE(result->diff.empty() == result->files.empty());
    if (result->files.empty()) return;
    const auto again =
        rewrite_template(result->files, text->claims[0].address(), correction, asked, home_claim());
    REQUIRE(again.ok());
    REQUIRE(again->diff.empty());
    if (text->claims[0].address() == asked.before->address)
      REQUIRE(is_same_around(input, result->files[0].text, text->claims[0].label));
  });
  CHECK(read_well > 250);
  CHECK(rewritten > 100);
}

TEST_CASE("bytes that are no template at all") {
  std::size_t refused = 0;
  run({"\xef\xbb\xbf"
       "a {}\n",
       "a = \"${b}\"\n", "x = <<-A\n  %{ if b }c%{ endif }\n  A\n", "/*"},
      k_words, 4000, [&](const std::string& input, Generator&) { refused += is_sound(input) ? 0 : 1; });
  CHECK(refused > 1000);
}
