#pragma once
// Which claim of a template is the one that the cluster has: its name expression as a pattern. Two that may
// both be it are no match.

#include <optional>
#include <string>
#include <string_view>

#include "lib/coder/live_claim.h"
#include "lib/coder/template.h"

namespace truenas::coder {

struct Match {
  enum class Kind {
    one,     // `claim` is it
    none,    // no claim of the template can have this name, and nothing was left unread
    unsure,  // `why`; `claim` where only this one can be it
  };
  Kind kind = Kind::none;
  const TemplateClaim* claim = nullptr;  // into the template that was asked
  std::string why;
};

// Whether the text that the setting makes is `text`. Where `values` hold no value, an id stands for any UUID
// and the name of a workspace or user for letters, digits and hyphens. nullopt: it fits, but only because
// some expression may stand for anything (var.name).
std::optional<bool> can_be(const Setting& setting, const Values& values, std::string_view text);

Match find_claim(const Template& text, const LiveClaim& live, const Values& values);

}  // namespace truenas::coder
