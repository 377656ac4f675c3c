#include "lib/coder/claim_match.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "lib/base/text.h"
#include "lib/coder/workspace_name.h"

namespace truenas::coder {
namespace {

enum class Hole { uuid, name, anything };

// data.coder_workspace.LABEL.FIELD and data.coder_workspace_owner.LABEL.FIELD.
Hole hole_of(std::string_view expression) {
  const std::vector<std::string> steps = split(expression, '.');
  if (steps.size() != 4 || steps[0] != "data") return Hole::anything;
  const std::string& field = steps[3];
  if (steps[1] == "coder_workspace" && (field == "id" || field == "owner_id")) return Hole::uuid;
  if (steps[1] == "coder_workspace" && (field == "name" || field == "owner")) return Hole::name;
  if (steps[1] == "coder_workspace_owner" && field == "id") return Hole::uuid;
  if (steps[1] == "coder_workspace_owner" && field == "name") return Hole::name;
  return Hole::anything;
}

bool is_name_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
}

// Which lengths of a text the pieces so far can make: places[i] is whether they can make its first i bytes.
class Places {
 public:
  explicit Places(std::string_view text) : text_(text), places_(text.size() + 1, false) { places_[0] = true; }

  void literal(std::string_view part) {
    std::vector<bool> next(places_.size(), false);
    for (std::size_t i = 0; i + part.size() <= text_.size(); ++i) {
      if (places_[i] && text_.substr(i, part.size()) == part) next[i + part.size()] = true;
    }
    places_ = std::move(next);
  }

  void hole(Hole hole) {
    std::vector<bool> next(places_.size(), false);
    if (hole == Hole::uuid) {
      for (std::size_t i = 0; i + 36 <= text_.size(); ++i)
        next[i + 36] = places_[i] && starts_with_uuid(text_.substr(i));
    } else {
      bool running = hole == Hole::anything && places_[0];
      next[0] = running;
      for (std::size_t i = 0; i < text_.size(); ++i) {
        const bool fits = hole == Hole::anything || is_name_letter(text_[i]);
        running = fits && (running || places_[i]);
        next[i + 1] = running || (hole == Hole::anything && places_[i + 1]);
      }
    }
    places_ = std::move(next);
  }

  bool whole() const { return places_.back(); }

 private:
  std::string_view text_;
  std::vector<bool> places_;
};

std::optional<bool> name_fits(const TemplateClaim& claim, const LiveClaim& live, const Values& values) {
  if (!claim.name.is_absent()) return can_be(claim.name, values, live.name);
  // A generated name ends in letters that the server chose.
  Setting generated = claim.generate_name;
  if (generated.is_literal()) generated.pieces = {{generated.value, true, Piece::Letters::as_written}};
  generated.state = Setting::State::undecided;
  generated.pieces.push_back({"generate_name", false, Piece::Letters::as_written});
  return can_be(generated, values, live.name);
}

std::optional<bool> fits(const TemplateClaim& claim, const LiveClaim& live, const Values& values) {
  // The provider's own default.
  const auto ns = claim.ns.is_absent() ? std::optional<std::string>("default") : resolve(claim.ns, values);
  if (ns && *ns != live.ns) return false;
  return name_fits(claim, live, values);
}

}  // namespace

std::optional<bool> can_be(const Setting& setting, const Values& values, std::string_view text) {
  if (setting.is_absent()) return false;
  if (const auto whole = resolve(setting, values)) return *whole == text;
  Places places(text);
  bool loose = false;
  for (const Piece& piece : setting.pieces) {
    Setting part;
    part.state = Setting::State::undecided;
    part.pieces = {piece};
    if (const auto value = resolve(part, values)) {
      places.literal(*value);
      continue;
    }
    const Hole hole = hole_of(piece.text);
    loose = loose || hole == Hole::anything;
    places.hole(hole);
  }
  if (!places.whole()) return false;
  return loose ? std::optional<bool>() : true;
}

Match find_claim(const Template& text, const LiveClaim& live, const Values& values) {
  std::vector<const TemplateClaim*> sure, loose;
  for (const TemplateClaim& claim : text.claims) {
    const auto verdict = fits(claim, live, values);
    if (!verdict) loose.push_back(&claim);
    if (verdict && *verdict) sure.push_back(&claim);
  }
  if (sure.size() == 1 && loose.empty()) return {Match::Kind::one, sure[0], ""};
  if (sure.size() + loose.size() > 1) {
    const TemplateClaim *first = sure.empty() ? loose[0] : sure[0],
                        *other = loose.empty() ? sure[1] : loose.back();
    return {Match::Kind::unsure, nullptr,
            fmt::format("{} and {} may both be it", first->address(), other->address())};
  }
  if (loose.size() == 1) {
    const TemplateClaim& claim = *loose[0];
    const Setting& name = claim.name.is_absent() ? claim.generate_name : claim.name;
    const std::string why =
        fmt::format("the name of {} is made of {}", claim.address(), printable(name.expression));
    return {Match::Kind::unsure, text.unknowns.empty() ? &claim : nullptr, why};
  }
  if (text.unknowns.empty()) return {};
  const Unknown& unknown = text.unknowns.front();
  return {
      Match::Kind::unsure, nullptr,
      fmt::format("{}:{}: {}{}", unknown.file, unknown.line, unknown.what,
                  text.unknowns.size() > 1 ? fmt::format(", and {} more", text.unknowns.size() - 1) : "")};
}

}  // namespace truenas::coder
