#pragma once
// Which claim of a template is the one that the cluster has: its name expression as a pattern. Two that may
// both be it are no match.

#include <optional>
#include <string>

#include "lib/coder/live_claim.h"
#include "lib/coder/template.h"

namespace truenas::coder {

struct Match {
  enum class Kind {
    one,     // `claim` is it
    none,    // no claim of the template can have this name, and nothing was left unread
    unsure,  // `why`
  };
  Kind kind = Kind::none;
  const TemplateClaim* claim = nullptr;  // into the template that was asked
  std::string why;
};

// Whether a text that the setting makes can be `text`. Expressions that `values` do not hold match anything
// that fits them: an id a UUID, a name lower-case letters, digits, dots and hyphens. nullopt: the expression
// says nothing about its text (var.name by itself).
std::optional<bool> can_be(const Setting& setting, const Values& values, std::string_view text);

Match find_claim(const Template& text, const LiveClaim& live, const Values& values);

}  // namespace truenas::coder
