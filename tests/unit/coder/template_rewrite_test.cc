// Corrected templates: the bytes that change, the bytes that do not, and that the home then really is kept.

#include "lib/coder/template_rewrite.h"

#include "tests/unit/coder/home_template.h"

using namespace truenas;
using namespace truenas::coder;

namespace {

constexpr const char* k_address = "kubernetes_persistent_volume_claim.home";
const std::string k_v1 = "kubernetes_persistent_volume_claim_v1";

Question asked_of(const Shape& was) {
  const Template unused;
  Question asked = question(unused, before(was));
  asked.text = nullptr;
  return asked;
}

// A claim with these lines in its spec, and these after it.
std::string claim_text(const std::string& spec, const std::string& rest = "") {
  return "resource \"kubernetes_persistent_volume_claim\" \"home\" {\n  metadata {\n    name = \"coder-" +
         std::string(k_id) +
         "-home\"\n    namespace = \"coder-workspaces\"\n    labels = local.l\n"
         "    annotations = local.l\n  }\n  spec {\n    access_modes = [\"ReadWriteOnce\"]\n    resources {\n"
         "      requests = {\n        storage = \"10Gi\"\n      }\n    }\n" +
         spec + "  }\n" + rest + "}\n";
}

std::string rewritten(const std::string& text, Correction correction) {
  Question asked = asked_of(Shape());
  const auto result = rewrite_template({{"main.tf", text}}, k_address, correction, asked, home_claim());
  if (!result.ok()) return result.error().what;
  return result->files.empty() ? text : result->files[0].text;
}

std::string removed(const std::string& text) {
  return rewritten(text, Correction::remove_class);
}

std::string ignored(const std::string& text) {
  return rewritten(text, Correction::ignore_all);
}

std::string to_windows(const std::string& text) {
  std::string result;
  for (const char c : text) result += c == '\n' ? "\r\n" : std::string(1, c);
  return result;
}

const std::string k_class = "    storage_class_name = \"truenas-csi-nfs\"";
const std::string k_all = "  lifecycle {\n    ignore_changes = all\n  }\n";

}  // namespace

TEST_CASE("the class line goes, and nothing else") {
  CHECK(removed(claim_text(class_line(k_old))) == claim_text(""));
  CHECK(removed(claim_text(k_class + " # the new one\n")) == claim_text(""));
  CHECK(removed(claim_text(k_class + " /* the new one */ # x\n")) == claim_text(""));
  CHECK(removed(claim_text("    # why\n" + k_class + "\n    # more\n")) ==
        claim_text("    # why\n    # more\n"));
  CHECK(removed(claim_text(k_class + " /* over\n two lines */\n")) ==
        claim_text(" /* over\n two lines */\n"));
  CHECK(removed(claim_text("    storage_class_name = (\n      var.c\n    )\n")) == claim_text(""));
  CHECK(removed(claim_text("    storage_class_name = <<EOT\nx\nEOT\n")) == claim_text(""));
  CHECK(removed(claim_text("    # storage_class_name = \"x\"\n")) ==
        claim_text("    # storage_class_name = \"x\"\n"));
  CHECK(removed(to_windows(claim_text(class_line(k_old)))) == to_windows(claim_text("")));
  std::string no_end = claim_text(class_line(k_old)), kept = claim_text("");
  no_end.pop_back();
  kept.pop_back();
  CHECK(removed(no_end) == kept);
}

TEST_CASE("ignore_changes = all is added, or the lifecycle amended") {
  const std::string now = class_line(k_new);
  CHECK(ignored(claim_text(class_line(k_old))) == claim_text(now, k_all));
  CHECK(ignored(claim_text("")) == claim_text(now, k_all));
  CHECK(ignored(claim_text(now, k_all)) == claim_text(now, k_all));
  CHECK(ignored(claim_text(now, "  lifecycle { ignore_changes = all }\n")) ==
        claim_text(now, "  lifecycle { ignore_changes = all }\n"));
  CHECK(ignored(
            claim_text(now,
                       "  lifecycle {\n    ignore_changes = [\n      spec[0].storage_class_name,\n    ] # x\n"
                       "  }\n")) == claim_text(now, "  lifecycle {\n    ignore_changes = all # x\n  }\n"));
  CHECK(ignored(claim_text(now, "  lifecycle {\n    prevent_destroy = true\n  }\n")) ==
        claim_text(now, "  lifecycle {\n    prevent_destroy = true\n    ignore_changes = all\n  }\n"));
  CHECK(ignored(claim_text(now, "  lifecycle { prevent_destroy = true }\n")) ==
        claim_text(now, "  lifecycle {\n    prevent_destroy = true\n    ignore_changes = all\n  }\n"));
  CHECK(ignored(claim_text(now, "  lifecycle {}\n")) == claim_text(now, k_all));
  CHECK(ignored(to_windows(claim_text(class_line(k_old)))) == to_windows(claim_text(now, k_all)));
  std::string closed = claim_text(now, "  wait_until_bound = false\n");
  closed.replace(closed.size() - 3, 3, " }\n");
  CHECK(ignored(closed) == claim_text(now, "  wait_until_bound = false\n" + k_all));
}

TEST_CASE("the diff says what changed") {
  Shape shape;
  shape.spec = class_line(k_old);
  const auto result = rewrite_template({{"README.md", "x"}, {"./main.tf", home_template(shape)}}, k_address,
                                       Correction::remove_class, asked_of(shape), home_claim());
  REQUIRE(result.ok());
  CHECK(result->diff ==
        "--- a/main.tf\n+++ b/main.tf\n@@ -53,7 +53,6 @@\n         storage = "
        "\"${data.coder_parameter.home_disk_size.value}Gi\"\n       }\n     }\n"
        "-    storage_class_name = \"truenas-nfs\"\n   }\n }\n \n");
  CHECK(result->warnings.empty());
  REQUIRE(result->files.size() == 1);
  CHECK(result->files[0].path == "main.tf");
  const auto again =
      rewrite_template(result->files, k_address, Correction::remove_class, asked_of(Shape()), home_claim());
  REQUIRE(again.ok());
  CHECK(again->diff.empty());
  CHECK(again->files.empty());
}

TEST_CASE("every template that destroys is corrected into one that keeps") {
  struct Case {
    const char* name;
    std::string spec, resource, size;
    bool by_removal;  // else only ignore_changes = all saves it
  };
  const std::string ten = "10Gi";
  const Case cases[] = {
      {"C1", class_line(k_new), "", ten, true},
      {"D1", class_line(k_old), "", ten, true},
      {"G1", "", "", "5Gi", false},
      {"G2", class_line(k_old), ignore_line("[spec[0].storage_class_name]"), "5Gi", false},
      {"volume", "    volume_name = \"pvc-truenas-nfs\"\n", "", ten, false},
      {"mode", "    volume_mode = \"Block\"\n", "", ten, false},
      {"selector", "    selector {\n    }\n", "", ten, false},
      {"variable", "    storage_class_name = var.storage_class\n", "", ten, true},
  };
  for (const Case& one : cases) {
    CAPTURE(one.name);
    Shape shape;
    shape.spec = one.spec;
    shape.resource = one.resource;
    shape.size = one.size;
    const std::vector<SourceFile> files = {{"main.tf", home_template(shape)}};
    const Template unsafe = read(shape);
    const Forecast bad = forecast(question(unsafe, before(shape)), home_claim());
    CHECK_FALSE((bad.now.fate == Fate::kept && bad.swapped.fate == Fate::kept));
    for (const Correction correction : {Correction::remove_class, Correction::ignore_all}) {
      const auto result = rewrite_template(files, k_address, correction, asked_of(shape), home_claim());
      const bool expected = correction == Correction::ignore_all || one.by_removal;
      CHECK(result.ok() == expected);
      if (!result.ok()) {
        CHECK(result.error().kind == Kind::refused);
        continue;
      }
      const Template safe = read(result->files.at(0).text);
      const Forecast good = forecast(question(safe, before(shape, false)), home_claim());
      CHECK(good.now.fate == Fate::kept);
      CHECK(good.swapped.fate == Fate::kept);
      CHECK(good.planned_before.fate == Fate::kept);
    }
  }
}

TEST_CASE("a renamed type is carried over, with its warning") {
  Shape was, now;
  was.spec = now.spec = class_line(k_old);
  now.type = k_v1;
  const Question asked = asked_of(was);
  for (const char* around : {"",
                             "moved {\n  from = kubernetes_persistent_volume_claim.home\n"
                             "  to   = kubernetes_persistent_volume_claim_v1.home\n}\n"}) {
    now.around = around;
    const auto result = rewrite_template({{"main.tf", home_template(now)}}, k_v1 + ".home",
                                         Correction::remove_class, asked, home_claim());
    REQUIRE_MESSAGE(result.ok(), (result.ok() ? "" : result.error().what));
    REQUIRE(result->warnings.size() == 1);
    const std::string& text = result->files.at(0).text;
    CHECK(text.find("\nmoved {") == std::string::npos);
    CHECK(text.ends_with(
        "removed {\n  from = kubernetes_persistent_volume_claim.home\n  lifecycle {\n"
        "    destroy = false\n  }\n}\n\nimport {\n  to = kubernetes_persistent_volume_claim_v1.home\n"
        "  id = \"${var.namespace}/coder-${data.coder_workspace.me.id}-home\"\n}\n"));
    const Template carried = read(text);
    Question again = asked;
    again.text = &carried;
    again.before->same_version = false;
    CHECK(next_build(again, home_claim()).row == "I4");
    LiveClaim none = home_claim();
    none.absent = true;
    again.before.reset();
    CHECK(next_build(again, none).row == "I5");
  }
}

TEST_CASE("what cannot be changed with certainty is refused") {
  const auto what = [](const std::vector<SourceFile>& files, const std::string& address = k_address) {
    const auto result =
        rewrite_template(files, address, Correction::remove_class, asked_of(Shape()), home_claim());
    return result.ok() ? "" : result.error().what;
  };
  const std::string text = claim_text(class_line(k_old));
  CHECK(what({{"main.tf", text}}, "kubernetes_persistent_volume_claim.other") ==
        "the template has no resource kubernetes_persistent_volume_claim.other");
  CHECK(what({{"main.tf", text}, {"x_override.tf", text}}) ==
        "cannot rewrite kubernetes_persistent_volume_claim.home: x_override.tf overrides it");
  std::string dynamic = text;
  dynamic.replace(dynamic.find("  spec {"), 8, "  dynamic \"spec\" {");
  CHECK(what({{"main.tf", dynamic}}) ==
        "cannot rewrite kubernetes_persistent_volume_claim.home: its spec is not one plain block");
  std::string other = text;
  other.replace(other.find(k_id), 36, "another");
  CHECK(what({{"main.tf", other}}).starts_with("the corrected text would still not keep the claim (I)"));
  std::string counted = claim_text(class_line(k_old), "  count = data.coder_workspace.me.start_count\n");
  CHECK(what({{"main.tf", counted}}) ==
        "the corrected text would still not keep the claim (CC9): claim coder-workspaces/coder-" +
            std::string(k_id) +
            "-home is destroyed by every stop: count is data.coder_workspace.me.start_count");
  CHECK(what({{"main.tf", "a {"}}) == "main.tf:1: \"{\" is never closed");
}

TEST_CASE("what could not be decided is a warning, not a promise") {
  Shape shape;
  shape.spec = class_line(k_old);
  Question asked = asked_of(shape);
  asked.values.clear();
  const auto result = rewrite_template({{"main.tf", home_template(shape)}}, k_address,
                                       Correction::remove_class, asked, home_claim());
  REQUIRE(result.ok());
  REQUIRE(result->warnings.size() == 2);
  CHECK(result->warnings[0] == "kept only if \"${data.coder_parameter.home_disk_size.value}Gi\" gives 10Gi");
  CHECK(result->warnings[1] == "kept only if var.namespace gives coder-workspaces");
}

TEST_CASE("the commands to push and promote") {
  const auto commands = push_commands("kubernetes", "it's here", "move-1");
  REQUIRE(commands.size() == 2);
  CHECK(commands[0] ==
        "coder templates push kubernetes --directory 'it'\\''s here' --name move-1 --activate=false "
        "--yes");
  CHECK(commands[1] == "coder templates versions promote --template=kubernetes --template-version=move-1");
}
