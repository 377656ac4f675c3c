// The outcome matrix as measured with the real provider: every row, as template text against a live claim.

#include <functional>
#include <map>
#include <set>

#include "tests/unit/coder/home_template.h"

using namespace truenas;
using namespace truenas::coder;

namespace {

using Change = std::function<void(LiveClaim&)>;

struct Row {
  std::string id;
  Shape text;        // of the version that the build uses
  std::string live;  // class of the live claim
  Fate fate;
  Change change = {};             // of the live claim
  std::optional<Shape> was = {};  // text of the last build; the same one when not given
};

const std::string k_v1 = "kubernetes_persistent_volume_claim_v1";

Shape with_class(const std::string& name, const std::string& resource = "") {
  Shape shape;
  shape.spec = class_line(name);
  shape.resource = resource;
  return shape;
}

Shape with_size(const std::string& size, const std::string& resource = "") {
  Shape shape;
  shape.size = size;
  shape.resource = resource;
  return shape;
}

Shape renamed(const std::string& around = "", const std::string& resource = "") {
  Shape shape;
  shape.type = k_v1;
  shape.around = around;
  shape.resource = resource;
  return shape;
}

Change request(const std::string& size) {
  return [size](LiveClaim& claim) { claim.request = claim.capacity = size; };
}

Change annotation(const std::string& key) {
  return [key](LiveClaim& claim) { claim.annotations[key] = "x"; };
}

Change label(const std::string& key) {
  return [key](LiveClaim& claim) { claim.labels[key] = "x"; };
}

void modes_rwx(LiveClaim& claim) {
  claim.access_modes = {"ReadWriteMany"};
}

void absent(LiveClaim& claim) {
  claim.absent = true;
}

void terminating(LiveClaim& claim) {
  claim.terminating = true;
}

const std::string k_ignore_class = ignore_line("[spec[0].storage_class_name]");
const std::string k_ignore_all = ignore_line("all");
const std::string k_carry_over = R"(
removed {
  from = kubernetes_persistent_volume_claim.home
  lifecycle {
    destroy = false
  }
}
import {
  to = kubernetes_persistent_volume_claim_v1.home
  id = "${var.namespace}/coder-${data.coder_workspace.me.id}-home"
}
)";
const std::string k_moved = R"(
moved {
  from = kubernetes_persistent_volume_claim.home
  to   = kubernetes_persistent_volume_claim_v1.home
}
)";

std::vector<Row> class_rows() {
  const Shape unset, old_class = with_class(k_old), new_class = with_class(k_new);
  const auto retained = [](LiveClaim& claim) { claim.volume_retained = true; };
  return {
      {"A1", unset, k_old, Fate::kept},
      {"A2", unset, k_new, Fate::kept},
      {"A3", unset, k_old, Fate::kept, {}, old_class},
      {"A4", unset, k_new, Fate::kept, {}, old_class},
      {"B1", old_class, k_old, Fate::kept},
      {"C1", new_class, k_old, Fate::destroyed, {}, old_class},
      {"C2", new_class, k_old, Fate::destroyed, retained, old_class},
      {"C3", new_class, k_old, Fate::destroyed, {}, unset},
      {"C4", old_class, k_old, Fate::doomed, terminating, new_class},
      {"D1", old_class, k_new, Fate::destroyed},
      {"E1", new_class, k_new, Fate::kept},
      {"F1", with_class(k_old, k_ignore_class), k_new, Fate::kept},
      {"F1b", with_class(k_new, k_ignore_class), k_old, Fate::kept},
      {"F1c", with_class(k_new, k_ignore_class), k_new, Fate::kept},
      {"F2", with_class(k_old, k_ignore_all), k_new, Fate::kept},
      {"F2b", with_class(k_new, k_ignore_all), k_old, Fate::kept},
      {"F2c", with_class(k_old, k_ignore_all), k_new, Fate::kept,
       [](LiveClaim& claim) {
         modes_rwx(claim);
         claim.request = "20Gi";
         claim.labels.clear();
       }},
  };
}

std::vector<Row> size_rows() {
  const Shape ten = with_size("10Gi");
  return {
      {"G1", ten, k_old, Fate::destroyed, request("20Gi")},
      {"G2", with_size("10Gi", k_ignore_class), k_old, Fate::destroyed, request("20Gi")},
      {"G3", with_size("10Gi", ignore_line("[spec[0].resources]")), k_old, Fate::kept, request("20Gi")},
      {"G4", with_size("10Gi", k_ignore_all), k_old, Fate::kept, request("20Gi")},
      {"G5", ten, k_new, Fate::updated, request("5Gi")},
      {"G6", with_size("20Gi"), k_old, Fate::build_fails, {}, ten},
      {"M1", ten, k_new, Fate::kept, [](LiveClaim& claim) { claim.capacity = "20Gi"; }},
      {"O1", ten, k_old, Fate::kept, request("10240Mi")},
      {"O2", ten, k_old, Fate::kept, request("10737418240")},
      {"O3", with_size("10240Mi"), k_new, Fate::kept, {}, ten},
  };
}

std::vector<Row> name_rows() {
  const Shape plain;
  return {
      {"H1", plain, k_old, Fate::empty_home, absent},
      {"H2", with_class(k_old), k_old, Fate::empty_home, absent},
      {"H3", with_class(k_new, k_ignore_all), k_old, Fate::empty_home, absent},
      {"H5", with_class(k_old), k_old, Fate::doomed, terminating},
      {"I1", renamed(), k_old, Fate::destroyed, {}, plain},
      {"I2", renamed("", k_ignore_all), k_old, Fate::destroyed, {}, plain},
      {"I3", renamed(k_moved, k_ignore_all), k_old, Fate::build_fails, {}, plain},
      {"I4", renamed(k_carry_over), k_old, Fate::kept, {}, plain},
  };
}

std::vector<Row> mark_rows() {
  const Shape plain;
  Shape guarded = with_class(k_old, k_ignore_class);
  return {
      {"J1", plain, k_new, Fate::updated, annotation("example.com/moved")},
      {"J2", plain, k_new, Fate::kept, annotation("migrate.kubernetes.io/moved")},
      {"K1", plain, k_new, Fate::updated, [](LiveClaim& claim) { claim.labels.clear(); }},
      {"K2", plain, k_new, Fate::updated,
       [](LiveClaim& claim) { claim.annotations.erase("com.coder.user.email"); }},
      {"L1", plain, k_new, Fate::destroyed, modes_rwx},
      {"L2", guarded, k_new, Fate::destroyed, modes_rwx},
      {"N1", plain, k_new, Fate::kept, label("migrate.kubernetes.io/x")},
      {"N2", plain, k_new, Fate::updated, label("app.kubernetes.io/managed-by")},
      {"N3", plain, k_new, Fate::updated, label("x.k8s.io/y")},
  };
}

void check(const Row& row) {
  CAPTURE(row.id);
  const Template text = read(row.text);
  REQUIRE(text.claims.size() == 1);
  Question asked = question(text, before(row.was.value_or(row.text), !row.was));
  LiveClaim live = home_claim(row.live);
  if (row.change) row.change(live);
  const Outcome outcome = next_build(asked, live);
  CHECK_MESSAGE(fate_name(outcome.fate) == fate_name(row.fate), outcome.consequence);
  CHECK(outcome.row == row.id);
  CHECK_FALSE(outcome.consequence.empty());
  CHECK(outcome.conditions.empty());
  if (!is_harmless(outcome.fate)) CHECK_FALSE(outcome.advice.empty());
}

}  // namespace

TEST_CASE("classes: rows A to F") {
  for (const Row& row : class_rows()) check(row);
}

TEST_CASE("sizes: rows G, M and O") {
  for (const Row& row : size_rows()) check(row);
}

TEST_CASE("names and addresses: rows H and I") {
  for (const Row& row : name_rows()) check(row);
}

TEST_CASE("labels, annotations and modes: rows J, K, L and N") {
  for (const Row& row : mark_rows()) check(row);
}

TEST_CASE("I5: a template with the import cannot start a workspace that has no claim") {
  const Template text = read(renamed(k_carry_over));
  Question asked = question(text, {});
  asked.before.reset();
  LiveClaim live = home_claim();
  live.absent = true;
  const Outcome outcome = next_build(asked, live);
  CHECK(outcome.fate == Fate::build_fails);
  CHECK(outcome.row == "I5");
}

TEST_CASE("H4, H6, H7: what was planned before the swap is applied after it") {
  const Shape unset, new_class = with_class(k_new);
  const Template safe = read(unset), unsafe = read(new_class);
  const Forecast good = forecast(question(safe, before(unset)), home_claim());
  CHECK(good.planned_before.fate == Fate::kept);
  CHECK(good.planned_before.row == "H6");
  CHECK(good.planned_absent.fate == Fate::build_fails);
  CHECK(good.planned_absent.row == "H4");
  const Forecast bad = forecast(question(unsafe, before(unset, false)), home_claim());
  CHECK(bad.planned_before.fate == Fate::destroyed);
  CHECK(bad.planned_before.row == "H7");
}

TEST_CASE("the rows above are all that were measured") {
  std::set<std::string> ids = {"I5", "H4", "H6", "H7"};
  for (const auto& rows : {class_rows(), size_rows(), name_rows(), mark_rows()}) {
    for (const Row& row : rows) CHECK_MESSAGE(ids.insert(row.id).second, row.id);
  }
  CHECK(ids.size() == 48);
}

TEST_CASE("the forecast of a home: which template is safe before, during and after the swap") {
  struct Case {
    Shape text;
    const char *now, *swapped, *absent;
  };
  const Case cases[] = {
      {Shape(), "A1", "A2", "H1"},
      {with_class(k_old), "B1", "D1", "H2"},
      {with_class(k_new), "C1", "E1", "H3"},
      {with_class(k_old, k_ignore_class), "F1", "F1", "H2"},
      {with_class(k_new, k_ignore_all), "F2b", "F2", "H3"},
      {with_size("5Gi"), "G1", "G1", "H1"},
  };
  for (const Case& one : cases) {
    CAPTURE(one.now);
    const Template text = read(one.text);
    const Forecast result = forecast(question(text, before(one.text)), home_claim());
    CHECK(result.now.row == one.now);
    CHECK(result.swapped.row == one.swapped);
    CHECK(result.absent.row == one.absent);
    CHECK(result.absent.fate == Fate::empty_home);
  }
}
