// Reading claims from templates: where the text is tricky, what is said to be undecided or unknown.

#include "lib/coder/template.h"

#include "tests/unit/coder/home_template.h"

using namespace truenas;
using namespace truenas::coder;

namespace {

TemplateClaim only_claim(const std::string& text) {
  const Template result = read(text);
  REQUIRE(result.claims.size() == 1);
  return result.claims[0];
}

std::string in_claim(const std::string& metadata, const std::string& spec, const std::string& rest = "") {
  return "resource \"kubernetes_persistent_volume_claim\" \"home\" {\n  metadata {\n" + metadata +
         "  }\n  spec {\n" + spec + "  }\n" + rest + "}\n";
}

// "absent", "=value" or "?expression".
std::string text_of(const Setting& setting) {
  if (setting.is_absent()) return "absent";
  return setting.is_literal() ? "=" + setting.value : "?" + setting.expression;
}

std::string class_of(const std::string& value, const std::string& around = "") {
  return text_of(only_claim(in_claim("", "    storage_class_name = " + value + "\n") + around).storage_class);
}

std::string error_of(const std::vector<SourceFile>& files) {
  const auto result = read_template(files);
  return result.ok() ? "" : result.error().what;
}

}  // namespace

TEST_CASE("the official shape") {
  Shape shape;
  shape.spec = class_line("fast");
  shape.resource = ignore_line("[spec[0].storage_class_name, metadata]");
  const TemplateClaim claim = only_claim(home_template(shape));
  CHECK(claim.address() == "kubernetes_persistent_volume_claim.home");
  CHECK(claim.file == "main.tf");
  CHECK(claim.line == 32);
  CHECK(text_of(claim.name) == "?\"coder-${data.coder_workspace.me.id}-home\"");
  CHECK(text_of(claim.ns) == "?var.namespace");
  CHECK(text_of(claim.storage_class) == "=fast");
  CHECK(text_of(claim.request) == "?\"${data.coder_parameter.home_disk_size.value}Gi\"");
  CHECK(resolve(claim.request, {{"data.coder_parameter.home_disk_size.value", "7"}}) == "7Gi");
  CHECK(claim.access_modes.values == std::vector<std::string>{"ReadWriteOnce"});
  CHECK(text_of(claim.wait_until_bound) == "=false");
  CHECK(claim.repetition == Repetition::once);
  CHECK(claim.ignored.paths == std::vector<std::string>{"spec.0.storage_class_name", "metadata"});
  CHECK(claim.labels.entries.size() == 5);
  CHECK(claim.labels.entries.at("com.coder.resource") == "true");
  CHECK_FALSE(claim.labels.entries.at("com.coder.user.username").has_value());
  CHECK(claim.annotations.entries.count("com.coder.user.email") == 1);
}

TEST_CASE("a class is a class only where Terraform sees one") {
  const auto found = [](const std::string& spec) {
    return text_of(only_claim(in_claim("", spec)).storage_class);
  };
  CHECK(found("    # storage_class_name = \"a\"\n") == "absent");
  CHECK(found("    // storage_class_name = \"a\"\n") == "absent");
  CHECK(found("    /* storage_class_name = \"a\"\n */\n") == "absent");
  CHECK(found("    x = <<-EOT\n      storage_class_name = \"a\"\n    EOT\n") == "absent");
  CHECK(found("    y = \"storage_class_name = \\\"a\\\"\"\n") == "absent");
  CHECK(found("    other { storage_class_name = \"a\" }\n") == "absent");
  CHECK(found("    storage_class_name = \"a\" # b\n") == "=a");
  CHECK(found("    storage_class_name = (\n\"a\"\n)\n") == "=a");
  CHECK(text_of(only_claim(
                    "resource \"kubernetes_persistent_volume_claim\" \"h\" {\n  storage_class_name = \"a\"\n"
                    "  spec { storage_class_name = \"b\" }\n}\n")
                    .storage_class) == "=b");
  const std::string other =
      "resource \"kubernetes_persistent_volume\" \"x\" {\n  spec {\n    storage_class_name = "
      "\"a\"\n  }\n}\n";
  CHECK(text_of(only_claim(other + in_claim("", "")).storage_class) == "absent");
}

TEST_CASE("absent, literal or undecided") {
  CHECK(class_of("null") == "absent");
  CHECK(class_of("\"\"") == "=");
  CHECK(class_of("\"a${\"b\"}c\"") == "=abc");
  CHECK(class_of("lower(\"ABC\")") == "=abc");
  CHECK(class_of("var.c", "variable \"c\" {\n  default = \"a\"\n}\n") == "?var.c");
  CHECK(class_of("local.c", "locals {\n  c = \"a\"\n}\n") == "=a");
  CHECK(class_of("\"${local.c}\"", "locals { c = \"a\" }\n") == "=a");
  CHECK(class_of("local.c", "locals {\n  c = null\n}\n") == "absent");
  CHECK(class_of("local.c", "locals {\n  c = local.d\n  d = \"e\"\n}\n") == "=e");
  CHECK(class_of("local.c", "locals {\n  c = var.x ? \"a\" : \"b\"\n}\n") == "?local.c");
  CHECK(class_of("local.c", "locals {\n  c = local.c\n}\n") == "?local.c");
  CHECK(class_of("local.c", "locals {\n  c = \"a\"\n}\nlocals {\n  c = \"b\"\n}\n") == "?local.c");
  CHECK(class_of("local.c.d", "locals {\n  c = \"a\"\n}\n") == "?local.c.d");
  CHECK(class_of("true ? \"a\" : \"b\"") == "?true ? \"a\" : \"b\"");
  CHECK(class_of("\"%{ if true }a%{ endif }\"") == "?\"%{ if true }a%{ endif }\"");
  CHECK(class_of("\"a\\q\"") == "?\"a\\q\"");
  CHECK(class_of("<<EOT\na\nEOT\n") == "?<<EOT\na\nEOT");
}

TEST_CASE("locals that use each other without end are undecided, soon") {
  std::string locals = "locals {\n  a0 = \"x\"\n";
  for (int i = 1; i < 60; ++i) {
    const std::string before = "${local.a" + std::to_string(i - 1) + "}";
    locals += "  a" + std::to_string(i) + " = \"" + before + before + "\"\n";
  }
  CHECK(class_of("local.a59", locals + "}\n") == "?local.a59");
  const std::string big(200000, 'x');
  CHECK(class_of("\"${local.b}${local.b}${local.b}${local.b}${local.b}${local.b}\"",
                 "locals {\n  b = \"" + big + "\"\n}\n")
            .starts_with("?"));
}

TEST_CASE("what a dynamic block makes cannot be seen") {
  const TemplateClaim spec = only_claim(
      "resource \"kubernetes_persistent_volume_claim_v1\" \"h\" {\n  metadata {\n    name = \"a\"\n  }\n"
      "  dynamic \"spec\" {\n    for_each = [1]\n    content {\n      storage_class_name = \"a\"\n    }\n  "
      "}\n}\n");
  CHECK(text_of(spec.storage_class) == "?dynamic \"spec\"");
  CHECK(spec.request.is_undecided());
  CHECK(spec.access_modes.state == Setting::State::undecided);
  CHECK(spec.selector == Setting::State::undecided);
  CHECK(text_of(spec.name) == "=a");
  const TemplateClaim selector = only_claim(
      in_claim("", "    dynamic \"selector\" {\n      for_each = var.s\n      content {}\n    }\n"));
  CHECK(selector.selector == Setting::State::undecided);
  CHECK(selector.storage_class.is_absent());
  const TemplateClaim twice = only_claim(in_claim("", "", "  spec {\n    storage_class_name = \"a\"\n  }\n"));
  CHECK(twice.storage_class.is_undecided());
}

TEST_CASE("sizes, modes and maps in other spellings") {
  const TemplateClaim claim = only_claim(
      in_claim("    labels = merge(local.labels, {})\n    annotations = { a : \"b\", \"c\" = var.d }\n",
               "    access_modes = [\"ReadWriteOnce\", var.mode]\n    resources {\n      requests = { "
               "\"storage\" : \"5Gi\", "
               "cpu = 1 }\n      limits = {}\n    }\n"));
  CHECK(text_of(claim.request) == "=5Gi");
  CHECK(claim.limits == Setting::State::absent);
  CHECK_FALSE(claim.labels.decided);
  CHECK(claim.annotations.entries.at("a") == "b");
  CHECK(claim.access_modes.state == Setting::State::undecided);
  const TemplateClaim old = only_claim(
      in_claim(
          "",
          "    access_modes = local.modes\n    resources {\n      requests {\n        storage = \"5Gi\"\n"
          "      }\n      limits = { storage = \"9Gi\" }\n    }\n") +
      "locals {\n  modes = [\"ReadWriteMany\"]\n}\n");
  CHECK(old.request.is_undecided());
  CHECK(old.limits == Setting::State::literal);
  CHECK(old.access_modes.values == std::vector<std::string>{"ReadWriteMany"});
}

TEST_CASE("line ends, one-line blocks and a missing last newline") {
  Shape shape;
  shape.spec = class_line("fast");
  std::string text = home_template(shape), windows;
  for (const char c : text) windows += c == '\n' ? "\r\n" : std::string(1, c);
  CHECK(text_of(only_claim("\xef\xbb\xbf" + windows).storage_class) == "=fast");
  CHECK(text_of(
            only_claim("resource \"kubernetes_persistent_volume_claim\" home {\nspec { storage_class_name = "
                       "\"a\" }\n}")
                .storage_class) == "=a");
}

TEST_CASE("several files, and those that Terraform does not read") {
  const std::string claim = in_claim("", "    storage_class_name = local.c\n");
  const auto files = [&](const std::string& path, const std::string& text) {
    return read_template({{"./main.tf", claim}, {path, text}});
  };
  const std::string local = "locals {\n  c = \"a\"\n}\n";
  CHECK(text_of(files("locals.tf", local)->claims[0].storage_class) == "=a");
  CHECK(text_of(files("other/locals.tf", local)->claims[0].storage_class) == "?local.c");
  CHECK(text_of(files(".locals.tf", local)->claims[0].storage_class) == "?local.c");
  CHECK(text_of(files("locals.tf.bak", local)->claims[0].storage_class) == "?local.c");
  CHECK(text_of(files("locals_override.tf", local)->claims[0].storage_class) == "?local.c");
  CHECK(error_of({{"main.tf", claim}, {"two.tf", claim}}) ==
        "two.tf:1: kubernetes_persistent_volume_claim.home is there twice");
  CHECK(error_of({{"README.md", ""}}) == "the template's root directory holds no *.tf file");
  CHECK(error_of({{"main.tf", claim}, {"x.tf", "a {"}}) == "x.tf:1: \"{\" is never closed");
}

TEST_CASE("what may hold a claim and cannot be looked into is named") {
  const auto unknown = [](const std::string& path, const std::string& text) -> std::string {
    const auto result = read_template({{"main.tf", "locals {}\n"}, {path, text}});
    REQUIRE(result.ok());
    REQUIRE(result->unknowns.size() <= 1);
    return result->unknowns.empty() ? "" : result->unknowns[0].what;
  };
  CHECK(unknown("a.tf", "module \"m\" {\n  source = \"registry.coder.com/x\"\n}\n") ==
        "module \"m\" (\"registry.coder.com/x\") may hold a claim");
  CHECK(unknown("a.tf", "resource \"kubernetes_manifest\" \"m\" {}\n") ==
        "kubernetes_manifest.m may make a claim by other means");
  CHECK(unknown("a.tf", "resource \"helm_release\" \"m\" {}\n") != "");
  CHECK(unknown("a.tf", "resource \"kubernetes_stateful_set_v1\" \"m\" {}\n") == "");
  CHECK(unknown("a.tf",
                "resource \"kubernetes_stateful_set_v1\" \"m\" {\n  spec {\n    volume_claim_template {}\n"
                "  }\n}\n") != "");
  CHECK(unknown("a_override.tf", "resource \"kubernetes_persistent_volume_claim\" \"home\" {}\n") ==
        "kubernetes_persistent_volume_claim.home is changed by an override file");
  CHECK(unknown("a.tf.json", R"({"resource": {"kubernetes_persistent_volume_claim": {"h": {}}}})") ==
        "kubernetes_persistent_volume_claim in JSON syntax is not looked into");
  CHECK(unknown("a.tf.json", R"([{"resource": [{"kubernetes_persistent_volume_claim_v1": {"h": {}}}]}])") !=
        "");
  CHECK(unknown("a.tf.json", R"({"module": {"m": {}}})") == "module in JSON syntax is not looked into");
  CHECK(unknown("a.tf.json", R"({"variable": {"n": {}}})") == "");
  CHECK(error_of({{"main.tf", ""}, {"a.tf.json", "{"}}) != "");
}

TEST_CASE("moved, removed and import blocks that name a claim") {
  const Template text = read(
      "moved {\n  from = kubernetes_persistent_volume_claim.a\n  to = "
      "kubernetes_persistent_volume_claim.b[0]\n}\n"
      "moved {\n  from = coder_agent.a\n  to = coder_agent.b\n}\n"
      "removed {\n  from = kubernetes_persistent_volume_claim.c\n}\n"
      "removed {\n  from = kubernetes_persistent_volume_claim.d\n  lifecycle { destroy = false }\n}\n"
      "removed {\n  from = kubernetes_persistent_volume_claim.e\n  lifecycle { destroy = var.x }\n}\n"
      "import {\n  to = kubernetes_persistent_volume_claim_v1.f\n  id = \"a/b\"\n}\n"
      "import {\n  for_each = local.x\n  to = kubernetes_persistent_volume_claim_v1.g[each.key]\n  id = "
      "each.value\n}\n");
  REQUIRE(text.moved.size() == 1);
  CHECK(text.moved[0].to == "kubernetes_persistent_volume_claim.b[0]");
  REQUIRE(text.removed.size() == 3);
  CHECK(text.removed[0].destroys);
  CHECK_FALSE(text.removed[1].destroys);
  CHECK(text.removed[2].destroys);
  REQUIRE(text.imports.size() == 2);
  CHECK(text.imports[0].id.value == "a/b");
  CHECK(text.imports[1].id.is_undecided());
}

TEST_CASE("a live claim is read as the provider reads it") {
  const auto object = json::parse_yaml(
      "metadata: {namespace: a, name: b, labels: {x: one}, annotations: "
      "{volume.beta.kubernetes.io/storage-class: z}, "
      "deletionTimestamp: '2026-01-01T00:00:00Z'}\n"
      "spec: {storageClassName: c, volumeName: v, volumeMode: Filesystem, accessModes: [ReadWriteOnce], "
      "selector: {}, "
      "resources: {requests: {storage: 1Gi}, limits: {storage: 2Gi}}}\nstatus: {capacity: {storage: 3Gi}}\n",
      "test");
  REQUIRE(object.ok());
  const LiveClaim live = read_live_claim(object.value());
  CHECK(live.storage_class == "c");
  CHECK(live.request == "1Gi");
  CHECK(live.capacity == "3Gi");
  CHECK(live.terminating);
  CHECK(live.has_selector);
  CHECK(live.has_limits);
  CHECK(live.labels.at("x") == "one");
  for (const std::string& pointer : live_claim_fields())
    CHECK_MESSAGE(object->at(pointer) != nullptr, pointer);
}
