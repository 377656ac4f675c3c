// What the matrix does not hold: several causes at once, and everything that cannot be decided.

#include "tests/unit/coder/home_template.h"

using namespace truenas;
using namespace truenas::coder;

namespace {

Outcome outcome_of(const Shape& shape, const LiveClaim& live = home_claim()) {
  const Template text = read(shape);
  return next_build(question(text, before(shape)), live);
}

Shape with_resource(const std::string& lines) {
  Shape shape;
  shape.resource = lines;
  return shape;
}

Shape with_spec(const std::string& lines) {
  Shape shape;
  shape.spec = lines;
  return shape;
}

}  // namespace

TEST_CASE("without the parameter and the variable nothing is called kept") {
  const Shape shape;
  const Template text = read(shape);
  Question asked = question(text, before(shape, false));
  asked.values.clear();
  const Outcome outcome = next_build(asked, home_claim());
  CHECK(outcome.fate == Fate::unknown);
  CHECK(outcome.if_so == Fate::kept);
  REQUIRE(outcome.conditions.size() == 2);
  CHECK(outcome.conditions[0] == "\"${data.coder_parameter.home_disk_size.value}Gi\" gives 10Gi");
  CHECK(outcome.conditions[1] == "var.namespace gives coder-workspaces");
}

TEST_CASE("what the state holds must be known, or it may be a renamed type") {
  Shape shape;
  shape.type = "kubernetes_persistent_volume_claim_v1";
  const Template text = read(shape);
  Question asked = question(text, {});
  asked.before.reset();
  const Outcome outcome = next_build(asked, home_claim());
  CHECK(outcome.fate == Fate::unknown);
  REQUIRE(outcome.conditions.size() == 1);
  CHECK(outcome.conditions[0] ==
        "the workspace's Terraform state holds the claim as kubernetes_persistent_volume_claim_v1.home");
}

TEST_CASE("a certain replace stays one, whatever else is undecided") {
  Shape shape = with_spec(class_line(k_new));
  shape.size = "${var.size}Gi";
  const Template text = read(shape);
  Question asked = question(text, {});
  asked.before.reset();
  asked.values.clear();
  const Outcome outcome = next_build(asked, home_claim());
  CHECK(outcome.fate == Fate::destroyed);
  CHECK(outcome.row == "C1");
}

TEST_CASE("a claim that goes with each stop") {
  for (const char* count : {"data.coder_workspace.me.start_count", "(data.coder_workspace.me.start_count)",
                            "data.coder_workspace.me.transition == \"start\" ? 1 : 0", "local.running"}) {
    CAPTURE(count);
    Shape shape = with_resource(std::string("  count = ") + count + "\n" + ignore_line("all"));
    shape.around = "locals {\n  running = data.coder_workspace.me.start_count\n}\n";
    const Outcome outcome = outcome_of(shape);
    CHECK(outcome.fate == Fate::destroyed_at_stop);
    CHECK(outcome.row == "CC9");
  }
  for (const char* count : {"max(1, data.coder_workspace.me.start_count)", "var.homes", "2", "local.missing",
                            "local.running ? 1 : 0"}) {
    CAPTURE(count);
    const Outcome outcome = outcome_of(with_resource(std::string("  count = ") + count + "\n"));
    CHECK(outcome.fate == Fate::unknown);
    CHECK(outcome.if_so == Fate::kept);
  }
  CHECK(outcome_of(with_resource("  count = 1\n")).fate == Fate::kept);
  CHECK(outcome_of(with_resource("  count = 0\n")).fate == Fate::destroyed);
  CHECK(outcome_of(with_resource("  for_each = toset([\"a\"])\n")).fate == Fate::unknown);
}

TEST_CASE("prevent_destroy turns a replace into a build that fails") {
  Shape shape = with_spec(class_line(k_new));
  shape.resource = "  lifecycle {\n    prevent_destroy = true\n  }\n";
  const Outcome outcome = outcome_of(shape);
  CHECK(outcome.fate == Fate::build_fails);
  CHECK(outcome.row == "C1");
  shape.resource = "  lifecycle {\n    prevent_destroy = false\n  }\n";
  CHECK(outcome_of(shape).fate == Fate::destroyed);
}

TEST_CASE("what the schema says of settings that were not measured") {
  CHECK(outcome_of(with_spec("    volume_name = \"pv-1\"\n")).fate == Fate::destroyed);
  CHECK(outcome_of(with_spec("    volume_name = \"pvc-truenas-nfs\"\n")).fate == Fate::kept);
  CHECK(outcome_of(with_spec("    volume_name = null\n")).fate == Fate::kept);
  CHECK(outcome_of(with_spec("    volume_mode = \"Block\"\n")).fate == Fate::destroyed);
  CHECK(outcome_of(with_spec("    selector {\n    }\n")).fate == Fate::destroyed);
  LiveClaim live = home_claim();
  live.has_selector = true;
  CHECK(outcome_of(Shape(), live).row == "2.1");
  live.has_selector = false;
  live.has_limits = true;
  CHECK(outcome_of(Shape(), live).fate == Fate::destroyed);
  CHECK(outcome_of(with_resource(ignore_line("[spec[0].resources]")), live).fate == Fate::kept);
}

TEST_CASE("an explicit volume is the end of the home once it is swapped") {
  const Shape shape = with_spec("    volume_name = \"pvc-truenas-nfs\"\n");
  const Template text = read(shape);
  const Forecast result = forecast(question(text, before(shape)), home_claim());
  CHECK(result.now.fate == Fate::kept);
  CHECK(result.swapped.fate == Fate::destroyed);
}

TEST_CASE("ignore_changes in all its spellings") {
  LiveClaim swapped_claim = home_claim(k_new);
  for (const char* spelling :
       {"[spec[0].storage_class_name]", "[spec.0.storage_class_name]", "[spec[0]]", "[spec]",
        "[\"spec[0].storage_class_name\"]", "[\n      metadata,\n      spec, # all\n    ]",
        "[spec [ 0 ] . storage_class_name]", "all"}) {
    CAPTURE(spelling);
    Shape shape = with_spec(class_line(k_old));
    shape.resource = ignore_line(spelling);
    CHECK(outcome_of(shape, swapped_claim).fate == Fate::kept);
  }
  for (const char* spelling : {"[]", "[spec[0].storage_class]", "[spec[0].storage_class_name_x]",
                               "[metadata]", "[spec[1].storage_class_name]", "[wait_until_bound]"}) {
    CAPTURE(spelling);
    Shape shape = with_spec(class_line(k_old));
    shape.resource = ignore_line(spelling);
    CHECK(outcome_of(shape, swapped_claim).row == "D1");
  }
  for (const char* spelling : {"local.ignored", "[\"*\"]", "concat([spec], [metadata])"}) {
    CAPTURE(spelling);
    CHECK(outcome_of(with_resource(ignore_line(spelling))).fate == Fate::unknown);
  }
}

TEST_CASE("the template has no such claim any more") {
  const Shape shape;
  const Template text = read("data \"coder_workspace\" \"me\" {}\n");
  Question asked = question(text, before(shape, false));
  CHECK(next_build(asked, home_claim()).fate == Fate::destroyed);
  asked.before.reset();
  const Outcome outcome = next_build(asked, home_claim());
  CHECK(outcome.fate == Fate::unknown);
  CHECK(outcome.conditions.size() == 1);
  const Template module = read("module \"home\" {\n  source = \"./home\"\n}\n");
  asked = question(module, before(shape, false));
  const Outcome hidden = next_build(asked, home_claim());
  CHECK(hidden.fate == Fate::unknown);
  REQUIRE(hidden.conditions.size() == 1);
  CHECK(hidden.conditions[0] == "main.tf:1: module \"home\" (\"./home\") may hold a claim");
  const Template removed = read(
      "removed {\n  from = kubernetes_persistent_volume_claim.home\n  lifecycle {\n    destroy = false\n  "
      "}\n}\n");
  asked = question(removed, before(shape, false));
  CHECK(next_build(asked, home_claim()).fate == Fate::kept);
}

TEST_CASE("a label of the resource is part of its address") {
  Shape was, now;
  now.label = "workspace";
  const std::string moved =
      "moved {\n  from = kubernetes_persistent_volume_claim.home\n"
      "  to = kubernetes_persistent_volume_claim.workspace\n}\n";
  const Template text = read(now);
  CHECK(next_build(question(text, before(was, false)), home_claim()).row == "I1");
  now.around = moved;
  const Template carried = read(now);
  CHECK(next_build(question(carried, before(was, false)), home_claim()).fate == Fate::kept);
}

TEST_CASE("a carry-over that is not whole") {
  Shape now, was;
  now.type = "kubernetes_persistent_volume_claim_v1";
  const auto with = [&](const std::string& around) {
    now.around = around;
    const Template text = read(now);
    return next_build(question(text, before(was, false)), home_claim());
  };
  const std::string removed = "removed {\n  from = kubernetes_persistent_volume_claim.home\n";
  const std::string keeps = "  lifecycle {\n    destroy = false\n  }\n}\n";
  const std::string import = "import {\n  to = kubernetes_persistent_volume_claim_v1.home\n  id = ";
  CHECK(with(removed + "}\n").row == "I1");
  CHECK(with(removed + keeps).fate == Fate::build_fails);
  CHECK(with(import + "\"coder-workspaces/x\"\n}\n").row == "I1");
  CHECK(with(removed + keeps + import + "\"coder-workspaces/somebody-elses\"\n}\n").fate == Fate::unknown);
  CHECK(with(removed + keeps + import + "\"${var.namespace}/coder-${data.coder_workspace.me.id}-home\"\n}\n")
            .row == "I4");
  // What is carried over is compared like everything else.
  now.spec = class_line(k_new);
  CHECK(with(removed + keeps + import + "\"${var.namespace}/coder-${data.coder_workspace.me.id}-home\"\n}\n")
            .fate == Fate::destroyed);
}

TEST_CASE("a class that a variable gives is unknown, also after the swap of the very same version") {
  const Shape shape = with_spec("    storage_class_name = var.storage_class\n");
  const Template text = read(shape);
  Question asked = question(text, before(shape));
  const Forecast unsure = forecast(asked, home_claim());
  CHECK(unsure.now.fate == Fate::kept);
  CHECK(unsure.swapped.fate == Fate::unknown);
  asked.values["var.storage_class"] = k_old;
  CHECK(forecast(asked, home_claim()).swapped.row == "D1");
  asked.values["var.storage_class"] = k_new;
  CHECK(forecast(asked, home_claim()).now.row == "C1");
}

TEST_CASE("a name of another format is another claim, unless every change is ignored") {
  Shape now;
  std::string text = home_template(now);
  text.replace(text.find("-home\""), 6, "-workspaces\"");
  const Template other = read(text);
  const Outcome lost = next_build(question(other, before(now, false)), home_claim());
  CHECK(lost.fate == Fate::destroyed);
  CHECK(lost.row == "I");
  now.resource = ignore_line("all");
  text = home_template(now);
  text.replace(text.find("-home\""), 6, "-workspaces\"");
  const Template guarded = read(text);
  CHECK(next_build(question(guarded, before(now, false)), home_claim()).row == "F2");
  Shape elsewhere;
  const Template unmoved = read(elsewhere);
  Question asked = question(unmoved, before(elsewhere, false));
  asked.values["var.namespace"] = "other";
  CHECK(next_build(asked, home_claim()).fate == Fate::destroyed);
}

TEST_CASE("an override file may change anything of the claim, for better or worse") {
  const Shape plain;
  const SourceFile main{"main.tf", home_template(plain)};
  for (const SourceFile& over :
       {SourceFile{"override.tf",
                   "resource \"kubernetes_persistent_volume_claim\" \"home\" {\n  count = 0\n}\n"},
        SourceFile{"x_override.tf.json",
                   R"({"resource": {"kubernetes_persistent_volume_claim": {"home": {}}}})"},
        SourceFile{"x_override.tf.json", R"({"locals": {"a": "b"}})"}}) {
    const auto text = read_template({main, over});
    REQUIRE(text.ok());
    const Outcome outcome = next_build(question(text.value(), before(plain)), home_claim());
    CHECK(outcome.fate == Fate::unknown);
    CHECK(outcome.if_so == Fate::unknown);
  }
  const auto other = read_template({main, {"override.tf", "resource \"coder_agent\" \"main\" {}\n"}});
  REQUIRE(other.ok());
  CHECK(next_build(question(other.value(), before(plain)), home_claim()).fate == Fate::kept);
}

TEST_CASE("an instance of the address that the template does not make is destroyed") {
  const Shape plain;
  const Template text = read(plain);
  Before state = before(plain, false);
  state.address += "[0]";
  CHECK(next_build(question(text, state), home_claim()).fate == Fate::kept);
  for (const char* index : {"[1]", "[\"ada\"]"}) {
    state.address = "kubernetes_persistent_volume_claim.home" + std::string(index);
    CHECK(next_build(question(text, state), home_claim()).row == "I1");
  }
}

TEST_CASE("an empty class or volume is none to the provider, and is not judged") {
  CHECK(outcome_of(with_spec("    storage_class_name = \"\"\n")).fate == Fate::unknown);
  CHECK(outcome_of(with_spec("    volume_name = \"\"\n")).fate == Fate::unknown);
}

TEST_CASE("an import whose id cannot be told is a condition") {
  Shape now, was;
  now.type = "kubernetes_persistent_volume_claim_v1";
  now.around =
      "removed {\n  from = kubernetes_persistent_volume_claim.home\n  lifecycle {\n    destroy = false\n  "
      "}\n}\n"
      "import {\n  to = kubernetes_persistent_volume_claim_v1.home\n  id = var.claim\n}\n";
  const Template text = read(now);
  const Outcome outcome = next_build(question(text, before(was, false)), home_claim());
  CHECK(outcome.fate == Fate::unknown);
  CHECK(outcome.if_so == Fate::kept);
  REQUIRE(outcome.conditions.size() == 1);
  CHECK(outcome.conditions[0] ==
        "the import's id var.claim gives coder-workspaces/coder-" + std::string(k_id) + "-home");
}

TEST_CASE("a generated name is the state's own") {
  std::string text = home_template(Shape());
  const std::string name = "name      = \"coder-${data.coder_workspace.me.id}-home\"";
  text.replace(text.find(name), name.size(), "generate_name = \"coder-6f3\"");
  const Template generated = read(text);
  REQUIRE(generated.claims[0].generate_name.is_literal());
  CHECK(next_build(question(generated, before_of(generated.claims[0], true)), home_claim()).fate ==
        Fate::kept);
  CHECK(next_build(question(generated, before_of(generated.claims[0], false)), home_claim()).fate ==
        Fate::unknown);
}
