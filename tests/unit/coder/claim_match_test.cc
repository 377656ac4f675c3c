// Which claim of a template a live claim is: by the shapes of names that templates have had over time.

#include "lib/coder/claim_match.h"

#include "tests/unit/coder/home_template.h"

using namespace truenas;
using namespace truenas::coder;

namespace {

std::string claim_named(const std::string& name, const std::string& label = "home") {
  return "resource \"kubernetes_persistent_volume_claim\" \"" + label +
         "\" {\n  metadata {\n    name = " + name + "\n    namespace = \"coder\"\n  }\n}\n";
}

std::string verdict(const std::string& text, const std::string& name, const Values& values = {}) {
  const Template read_text = read(text);
  LiveClaim live = home_claim();
  live.ns = "coder";
  live.name = name;
  const Match match = find_claim(read_text, live, values);
  if (match.kind == Match::Kind::none) return "none";
  if (match.kind == Match::Kind::unsure) return "unsure";
  return match.claim->label;
}

const std::string k_uuid = k_id;

}  // namespace

TEST_CASE("names as templates make them") {
  struct Case {
    std::string expression, name;
    const char* verdict;
  };
  const Case cases[] = {
      {R"("coder-${data.coder_workspace.me.id}-home")", "coder-" + k_uuid + "-home", "home"},
      {R"("coder-${data.coder_workspace.me.id}-home")", "coder-x-home", "none"},
      {R"("coder-${data.coder_workspace.me.id}-home")", "coder-" + k_uuid, "none"},
      {R"("coder-${data.coder_workspace.me.id}-home")", "coder-" + k_uuid + "-home-2", "none"},
      {R"("coder-${lower(data.coder_workspace.me.id)}-workspaces")", "coder-" + k_uuid + "-workspaces",
       "home"},
      {R"("coder-${lower(data.coder_workspace_owner.me.name)}-${lower(data.coder_workspace.me.name)}-home")",
       "coder-ada-my-ws-home", "home"},
      {R"("coder-${lower(data.coder_workspace.me.owner)}-${lower(data.coder_workspace.me.name)}-home")",
       "coder-ada.b-ws-home", "none"},
      {R"(lower("coder-${data.coder_workspace.me.owner}-${data.coder_workspace.me.name}-HOME"))",
       "coder-ada-ws-home", "home"},
      {R"(format("coder-%s-home", data.coder_workspace.me.id))", "coder-" + k_uuid + "-home", "home"},
      {R"(format("coder-%d-home", data.coder_workspace.me.id))", "coder-" + k_uuid + "-home", "unsure"},
      {R"(join("-", ["coder", data.coder_workspace.me.id, "home"]))", "coder-" + k_uuid + "-home", "home"},
      {R"("coder-pvc-${data.coder_workspace.me.id}")", "coder-pvc-" + k_uuid, "home"},
      {R"("coder-${substr(data.coder_workspace.me.id, 0, 8)}-home")", "coder-6f3d9a52-home", "unsure"},
      {R"("coder-${substr(data.coder_workspace.me.id, 0, 8)}-home")", "coder-6f3d9a52", "none"},
      {R"("home")", "home", "home"},
      {R"("home")", "home2", "none"},
      {R"(var.name)", "home", "unsure"},
      {R"("$${x}")", "${x}", "home"},
      {R"("%{ if true }a%{ endif }")", "a", "unsure"},
      {R"("h\u006fme")", "home", "home"},
  };
  for (const Case& one : cases) {
    CAPTURE(one.expression);
    CAPTURE(one.name);
    CHECK(verdict(claim_named(one.expression), one.name) == one.verdict);
  }
}

TEST_CASE("known values leave no other reading") {
  const std::string text =
      claim_named("\"coder-${data.coder_workspace.me.owner}-${lower(data.coder_workspace.me.name)}\"");
  const Values values = {{"data.coder_workspace.me.owner", "ada"}, {"data.coder_workspace.me.name", "WS"}};
  CHECK(verdict(text, "coder-ada-ws", values) == "home");
  CHECK(verdict(text, "coder-ada-ws2", values) == "none");
  CHECK(verdict(text, "coder-ada-ws2") == "home");
}

TEST_CASE("several claims, one of which it is, or might be") {
  const std::string by_id = claim_named("\"coder-${data.coder_workspace.me.id}-home\"", "home"),
                    cache = claim_named("\"coder-${data.coder_workspace.me.id}-cache\"", "cache"),
                    by_name = claim_named("\"coder-${data.coder_workspace.me.name}-home\"", "named"),
                    anything = claim_named("var.name", "anything");
  CHECK(verdict(by_id + cache, "coder-" + k_uuid + "-cache") == "cache");
  CHECK(verdict(by_id + cache, "coder-" + k_uuid + "-home") == "home");
  CHECK(verdict(by_id + by_name, "coder-" + k_uuid + "-home") == "unsure");
  CHECK(verdict(by_id + by_name, "coder-x-home") == "named");
  CHECK(verdict(by_id + anything, "coder-" + k_uuid + "-home") == "unsure");
  const std::string module = "module \"x\" {\n  source = \"./x\"\n}\n";
  CHECK(verdict(by_id + module, "coder-" + k_uuid + "-home") == "home");
  CHECK(verdict(by_id + module, "other") == "unsure");
  CHECK(verdict(module, "other") == "unsure");
}

TEST_CASE("a namespace that is another one, and a name that the server made") {
  const std::string generated =
      "resource \"kubernetes_persistent_volume_claim_v1\" \"home\" {\n  metadata {\n    generate_name = "
      "\"home-\"\n"
      "    namespace = local.ns\n  }\n}\nlocals {\n  ns = \"coder\"\n}\n";
  CHECK(verdict(generated, "home-x7k2p") == "unsure");
  CHECK(verdict(generated, "house-x7k2p") == "none");
  std::string elsewhere = generated;
  elsewhere.replace(elsewhere.find("\"coder\""), 7, "\"other\"");
  CHECK(verdict(elsewhere, "home-x7k2p") == "none");
}

TEST_CASE("a text fits through its pieces") {
  Setting setting;
  setting.state = Setting::State::undecided;
  setting.pieces = {{"a-", true, {}}, {"data.coder_workspace.me.name", false, {}}, {"-b", true, {}}};
  CHECK(can_be(setting, {}, "a-x-b") == true);
  CHECK(can_be(setting, {}, "a-x-b-b") == true);
  CHECK(can_be(setting, {}, "a--b") == false);
  CHECK(can_be(setting, {}, "") == false);
  setting.pieces[1].text = "var.x";
  CHECK_FALSE(can_be(setting, {}, "a--b").has_value());
  CHECK(can_be(setting, {{"var.x", "y"}}, "a-y-b") == true);
  CHECK(can_be(Setting(), {}, "a") == false);
}
