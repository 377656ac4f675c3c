#pragma once
// What the text of a Coder template says about the home claims that it makes. Pure reading of Terraform's
// native syntax: nothing is run, no provider is asked, and what the text alone cannot decide is said to be
// undecided, never taken for a default. What it means for a claim is lib/coder/outcome.h's.

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lib/coder/setting.h"

namespace truenas::coder {

// One file of a template; `path` is relative to the template's root ("main.tf").
struct SourceFile {
  std::string path, text;
};

// A list (access modes). `values` holds something only where literal; in order, as written.
struct ListSetting {
  Setting::State state = Setting::State::absent;
  std::vector<std::string> values;
  std::string expression;
};

// Labels or annotations. `decided` false: the map is made by an expression (merge(…)), keys are not known.
struct MapSetting {
  bool decided = true;
  std::map<std::string, std::optional<std::string>> entries;  // nullopt: the value is undecided
  std::string expression;
};

struct IgnoredChanges {
  enum class Kind { nothing, paths, all, undecided };
  Kind kind = Kind::nothing;
  std::vector<std::string> paths;  // "spec.0.storage_class_name": an index as a step of its own
  // Whether a change at `path` (spelled so) is not looked at. False where undecided.
  bool covers(std::string_view path) const;
};

// How many of the claim a build makes.
enum class Repetition {
  once,                // no count and no for_each, or count = 1
  none,                // count = 0
  follows_start,       // count = start_count: every stop destroys it
  mentions_the_start,  // depends on start_count or the transition in a way that is not understood
  undecided,           // any other count or for_each
};

struct TemplateClaim {
  std::string type;   // kubernetes_persistent_volume_claim or …_claim_v1
  std::string label;  // "home"
  std::string file;
  std::size_t line = 0;
  Setting name, generate_name, ns;
  Setting storage_class, request, volume_name, volume_mode;
  ListSetting access_modes;
  // Of these only whether they are there can be told apart; a dynamic block is undecided.
  Setting::State selector = Setting::State::absent, limits = Setting::State::absent;
  Repetition repetition = Repetition::once;
  Setting count;  // count or for_each, whichever is there
  Setting wait_until_bound, prevent_destroy;
  IgnoredChanges ignored;
  MapSetting labels, annotations;
  std::string overridden_by;  // an override file that may change any of this; "" for none

  // "kubernetes_persistent_volume_claim_v1.home".
  std::string address() const { return type + "." + label; }
};

bool is_claim_type(std::string_view resource_type);

// Blocks that tell Terraform what to do with addresses of its state. Addresses without white space.
struct Moved {
  std::string from, to;
};
struct Removed {
  std::string from;
  bool destroys = true;  // Terraform's default; also where lifecycle { destroy = … } cannot be decided
};
struct Import {
  std::string to;
  Setting id;  // "namespace/name"
};

// Something in the template that may hold or change a claim and cannot be looked into.
struct Unknown {
  std::string file;
  std::size_t line = 0;
  std::string what;  // "module \"home\" (./home) may hold a claim"
};

struct Template {
  std::vector<TemplateClaim> claims;
  std::vector<Moved> moved;
  std::vector<Removed> removed;
  std::vector<Import> imports;
  std::vector<Unknown> unknowns;
  // Of data "coder_parameter" blocks: label to the name that Coder has for it; only literal names.
  std::map<std::string, std::string> parameters;
};

// Reads all *.tf files of the template's root directory (others in `files` are passed over; *.tf.json that
// speaks of a claim becomes an Unknown). Kind::format with "main.tf:12: …" where Terraform could not read the
// text either; Kind::not_found when there is no *.tf file at all.
Result<Template> read_template(const std::vector<SourceFile>& files);

}  // namespace truenas::coder
