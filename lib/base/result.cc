#include "lib/base/result.h"

namespace truenas {

std::string_view kind_name(Kind kind) {
  switch (kind) {
    case Kind::usage:
      return "usage";
    case Kind::config:
      return "config";
    case Kind::auth:
      return "auth";
    case Kind::not_found:
      return "not_found";
    case Kind::conflict:
      return "conflict";
    case Kind::refused:
      return "refused";
    case Kind::unavailable:
      return "unavailable";
    case Kind::outcome_unknown:
      return "outcome_unknown";
    case Kind::format:
      return "format";
    case Kind::mismatch:
      return "mismatch";
    case Kind::stopped:
      return "stopped";
    case Kind::locked:
      return "locked";
    case Kind::interrupted:
      return "interrupted";
    case Kind::bug:
      return "bug";
  }
  return "bug";
}

Error Error::in(std::string_view context) const {
  Error copy = *this;
  copy.what = std::string(context) + ": " + what;
  return copy;
}

Error Error::with_hint(std::string hint) const {
  Error copy = *this;
  copy.hints.push_back(std::move(hint));
  return copy;
}

}  // namespace truenas
