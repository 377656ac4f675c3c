// What a template's text does to homes, and its correction. What would lose a home: the wrong template taken
// for its own, an outcome of one claim taken for all, a correction that helps some and destroys others.

#include "lib/workflow/workspace_review/correction.h"
#include "tests/unit/workflow/workspace_site.h"

using namespace truenas;
using namespace truenas::workflow;

namespace {

const std::string k_id = "0a7c1f52-7d3e-4c8e-9f61-2b9d6a3e5c01";
const std::string k_other = "1b8d2063-8e4f-4d9f-a072-3cae7b4f6d02";

// A template whose homes are called `name`, with `line` in the spec.
TemplateText text_of(const std::string& title, const std::string& name, const std::string& line) {
  TemplateText text;
  text.name = title;
  text.files = {
      {"main.tf",
       "resource \"kubernetes_persistent_volume_claim\" \"home\" {\n  metadata {\n    name = \"" + name +
           "\"\n    namespace = \"ws\"\n  }\n  spec {\n    access_modes = [\"ReadWriteOnce\"]\n    " + line +
           "\n    resources {\n      requests = {\n        storage = \"10Gi\"\n      }\n    }\n  }\n}\n"}};
  auto read = coder::read_template(text.files);
  REQUIRE_MESSAGE(read.ok(), (read.ok() ? "" : read.error().what));
  text.text = std::move(read).value();
  return text;
}

const std::string k_name = "coder-${data.coder_workspace.me.id}-home";
const std::string k_old_line = "storage_class_name = \"truenas-nfs\"",
                  k_new_line = "storage_class_name = \"truenas-csi-nfs\"";

struct Homes : WorkspaceSiteBuilder {
  SiteClaim& home(const std::string& id, const std::string& storage_class = "truenas-nfs") {
    SiteClaim& made = claim("coder-" + id + "-home", storage_class);
    made.workspace.id = id;
    return made;
  }
};

}  // namespace

TEST_CASE("a text with the new class is an alarm for a home on the old one") {
  Homes homes;
  homes.home(k_id);
  homes.options.templates = {text_of("kubernetes", k_name, k_new_line)};
  const auto review = homes.judge();
  CHECK(review.rows[0].fate.now.fate == coder::Fate::destroyed);
  const auto found = of_check(review, "CC1");
  REQUIRE(found.size() >= 1);
  CHECK(found[0].severity == Severity::alarm);
}

TEST_CASE("a text with the old class is an alarm for a home that is moved: it is not done") {
  Homes homes;
  homes.home(k_id, "truenas-csi-nfs");
  homes.options.templates = {text_of("kubernetes", k_name, k_old_line)};
  const auto review = homes.judge();
  CHECK(review.rows[0].verdict == WorkspaceVerdict::done);
  CHECK(review.count(Severity::alarm) == 1);
  CHECK(review.left() == 1);
}

TEST_CASE("a text with the old class warns of the build after the move") {
  Homes homes;
  homes.home(k_id);
  homes.options.templates = {text_of("kubernetes", k_name, k_old_line)};
  const auto review = homes.judge();
  CHECK(review.count(Severity::alarm) == 0);
  CHECK(review.rows[0].fate.after.fate == coder::Fate::destroyed);
  CHECK(of_check(review, "CC1").front().severity == Severity::warning);
}

TEST_CASE("a template is taken for a home's only when it alone can have made it") {
  Homes homes;
  homes.home(k_id);
  homes.options.templates = {text_of("a", "coder-pvc-${data.coder_workspace.me.id}", k_new_line)};
  CHECK(homes.row().fate.unknown == "no template that was given makes a claim of this name");
  CHECK(of_check(homes.judge(), "CC1").front().severity == Severity::warning);
  homes.options.templates = {text_of("a", k_name, k_new_line), text_of("b", k_name, k_old_line)};
  CHECK(homes.row().fate.unknown == "more than one template makes claims of this name: a, b");
  homes.site.claims[0].workspace.template_name = "b";
  CHECK(homes.row().fate.template_name == "b");
}

TEST_CASE("a correction takes the class out where the new one is the default, else ignores all changes") {
  Homes homes;
  homes.home(k_id);
  homes.home(k_other);
  homes.options.templates = {text_of("kubernetes", k_name, k_old_line)};
  auto corrections = correct_templates(homes.judge(), homes.site, homes.options);
  REQUIRE(corrections.ok());
  REQUIRE(corrections->size() == 1);
  CHECK(corrections->front().homes == 2);
  CHECK(corrections->front().correction == coder::Correction::remove_class);
  CHECK(corrections->front().rewritten.diff.find("-    " + k_old_line) != std::string::npos);
  CHECK(corrections->front().not_kept.empty());
  homes.site.classes["truenas-csi-nfs"].is_default = false;
  corrections = correct_templates(homes.judge(), homes.site, homes.options);
  REQUIRE(corrections.ok());
  CHECK(corrections->front().correction == coder::Correction::ignore_all);
  CHECK(corrections->front().rewritten.diff.find("ignore_changes = all") != std::string::npos);
}

TEST_CASE("a correction that does not keep every home says which it does not") {
  Homes homes;
  homes.home(k_id);
  homes.home(k_other).live.request = "20Gi";
  homes.options.templates = {text_of("kubernetes", k_name, k_old_line)};
  const auto corrections = correct_templates(homes.judge(), homes.site, homes.options);
  REQUIRE(corrections.ok());
  REQUIRE(corrections->front().not_kept.size() >= 1);
  CHECK(corrections->front().not_kept[0].find("ws/coder-" + k_other + "-home: destroyed") == 0);
}
