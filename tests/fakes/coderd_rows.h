#pragma once
// What the tests of the outcome matrix's rows share: texts, and what a build does to the home.

#include <set>

#include "tests/fakes/coderd_fixture.h"

namespace truenas::fakes {

inline std::set<std::string>& rows_seen() {
  static std::set<std::string> rows;
  return rows;
}

inline std::string class_line(std::string_view name) {
  return "    storage_class_name = \"" + std::string(name) + "\"\n";
}
inline std::string ignore(const std::string& what) {
  return "  lifecycle {\n    ignore_changes = " + what + "\n  }\n";
}
inline const std::string k_ignore_class = ignore("[spec[0].storage_class_name]");
inline const std::string k_v1 = "kubernetes_persistent_volume_claim_v1";
inline const std::string k_unset = coderd_template();
inline const std::string k_old_text = coderd_template(class_line(k_old_class));
inline const std::string k_new_text = coderd_template(class_line(k_new_class));
inline const std::string k_carry_over = R"(
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
inline const std::string k_moved = R"(
moved {
  from = kubernetes_persistent_volume_claim.home
  to   = kubernetes_persistent_volume_claim_v1.home
}
)";

using Actions = std::vector<std::string>;

inline Actions actions_of(CoderSite& site) {
  return site.coder.find_build(site.last).actions;
}

// The build changes nothing, and neither does the one after it.
inline void stays(const std::string& row, CoderSite& site, const std::string& text) {
  CAPTURE(row);
  CHECK(rows_seen().insert(row).second);
  const std::string uid = site.uid(), volume = site.volume();
  CHECK(site.update(text));
  CHECK(actions_of(site).empty());
  CHECK(site.run("stop"));
  CHECK(actions_of(site).empty());
  CHECK(site.uid() == uid);
  CHECK(site.volume() == volume);
  CHECK(site.home_has_data());
}

// The claim is replaced: another one, empty, has its name.
inline void replaced(const std::string& row, CoderSite& site, const std::string& text,
                     bool retained = false) {
  CAPTURE(row);
  CHECK(rows_seen().insert(row).second);
  const std::string uid = site.uid();
  if (retained) site.retain(site.volume());
  CHECK(site.update(text, "stop"));
  CHECK(actions_of(site) == Actions{"replace kubernetes_persistent_volume_claim.home"});
  site.cluster.tick(5);
  CHECK(site.uid() != uid);
  CHECK_FALSE(site.home_has_data());
  CHECK(site.lost() != retained);
}

inline void updated(const std::string& row, CoderSite& site, const std::string& text) {
  CAPTURE(row);
  CHECK(rows_seen().insert(row).second);
  const std::string uid = site.uid();
  CHECK(site.update(text));
  CHECK(actions_of(site) == Actions{"update kubernetes_persistent_volume_claim.home"});
  CHECK(site.uid() == uid);
  CHECK(site.home_has_data());
}

inline void modes_rwx(json::Value& claim) {
  claim.set_at("/spec/accessModes", json::Value::array({"ReadWriteMany"}));
}

}  // namespace truenas::fakes
