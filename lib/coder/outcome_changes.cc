// Differences between the template's claim and the live one, as the provider compares them (facts 2.1).

#include <fmt/format.h>

#include <set>

#include "lib/base/quantity.h"
#include "lib/base/text.h"
#include "lib/coder/outcome_internal.h"

namespace truenas::coder {
namespace {

using Effect = Change::Effect;

class Comparison {
 public:
  Comparison(const TemplateClaim& claim, const LiveClaim& live, const Question& question)
      : claim_(claim), live_(live), question_(question) {}

  std::vector<Change> run() {
    compare_class();
    compare_request();
    compare_modes();
    compare_presence("spec.0.selector", "selector", claim_.selector, live_.has_selector);
    compare_presence("spec.0.resources.0.limits", "resources.limits", claim_.limits, live_.has_limits);
    compare_fixed("spec.0.volume_name", "volume_name", claim_.volume_name, live_.volume_name);
    compare_fixed("spec.0.volume_mode", "volume_mode", claim_.volume_mode,
                  live_.volume_mode.empty() ? "Filesystem" : live_.volume_mode);
    compare_namespace();
    if (claim_.ignored.kind == IgnoredChanges::Kind::undecided)
      undecided("ignore_changes says what it seems to say", Fate::kept);
    add_label_changes(claim_, live_, changes_);
    return std::move(changes_);
  }

 private:
  void add(Effect effect, std::string row, std::string what) {
    changes_.push_back({effect, std::move(row), std::move(what), Fate::kept});
  }
  void undecided(std::string what, Fate if_so = Fate::kept) {
    changes_.push_back({Effect::undecided, "", std::move(what), if_so});
  }
  bool same_version() const { return question_.before && question_.before->same_version; }
  // As the last build had it, whatever it depends on; after the swap that says nothing about what changes.
  bool as_before(const Setting& setting) const { return same_version() && is_stable(setting); }

  static std::string gives(const Setting& setting, std::string_view value) {
    return fmt::format("{} gives {}", printable(setting.expression), printable(value));
  }

  void compare_class() {
    const Setting& setting = claim_.storage_class;
    if (setting.is_absent() || claim_.ignored.covers("spec.0.storage_class_name")) return;
    const auto value = resolve(setting, question_.values);
    if (!value) {
      if (!as_before(setting) || live_.storage_class == question_.new_class)
        undecided(gives(setting, live_.storage_class));
      return;
    }
    if (*value == live_.storage_class) return;
    // The provider's schema takes an empty text for none.
    if (value->empty()) return undecided("an empty storage_class_name counts as none");
    const bool was_unset =
        question_.before && question_.before->storage_class && question_.before->storage_class->is_absent();
    std::string row = "D1";
    if (live_.storage_class != question_.new_class || *value == question_.new_class)
      row = was_unset ? "C3" : live_.volume_retained.value_or(false) ? "C2" : "C1";
    add(Effect::replaces, row,
        fmt::format("storage_class_name is {}, the claim's class is {}", quote(*value),
                    quote(live_.storage_class)));
  }

  void compare_request() {
    const Setting& setting = claim_.request;
    if (claim_.ignored.covers("spec.0.resources.0.requests.storage")) return;
    if (setting.is_absent()) {
      if (!live_.request.empty())
        undecided(fmt::format("a template without a request accepts {}", live_.request));
      return;
    }
    const auto value = resolve(setting, question_.values);
    if (!value) return undecided(gives(setting, live_.request));
    const auto wanted = parse_quantity(*value), has = parse_quantity(live_.request);
    if (!wanted.ok() || !has.ok())
      return undecided(fmt::format("{} and {} are the same size", quote(*value), quote(live_.request)));
    if (wanted.value() == has.value()) return;
    const std::string what = fmt::format("the template asks for {}, the claim for {}", *value, live_.request);
    if (wanted.value() < has.value()) {
      return add(Effect::replaces, claim_.ignored.covers("spec.0.storage_class_name") ? "G2" : "G1", what);
    }
    if (!live_.class_expands)
      return undecided(fmt::format("class {} allows expansion: {}", live_.storage_class, what),
                       Fate::updated);
    add(*live_.class_expands ? Effect::updates : Effect::fails, *live_.class_expands ? "G5" : "G6", what);
  }

  void compare_modes() {
    if (claim_.ignored.covers("spec.0.access_modes")) return;
    const std::string has = join(live_.access_modes, ", ");
    if (claim_.access_modes.state != Setting::State::literal) {
      return undecided(
          fmt::format("access_modes {} gives {}", printable(claim_.access_modes.expression), has));
    }
    const auto set_of = [](const std::vector<std::string>& modes) {
      return std::set<std::string>(modes.begin(), modes.end());
    };
    if (set_of(claim_.access_modes.values) == set_of(live_.access_modes)) return;
    add(Effect::replaces, claim_.ignored.covers("spec.0.storage_class_name") ? "L2" : "L1",
        fmt::format("the template asks for {}, the claim has {}", join(claim_.access_modes.values, ", "),
                    has));
  }

  // What the template says inside is not compared, only whether it says anything.
  void compare_presence(std::string_view path, std::string_view name, Setting::State state, bool has) {
    if (claim_.ignored.covers(path)) return;
    if (state == Setting::State::absent && !has) return;
    if (state == Setting::State::undecided || (state == Setting::State::literal && has))
      return same_version() ? void() : undecided(fmt::format("{} is the claim's own", name));
    add(Effect::replaces, "2.1",
        has ? fmt::format("the claim has a {}, the template has none", name)
            : fmt::format("the template has a {}, the claim has none", name));
  }

  void compare_fixed(std::string_view path, std::string_view name, const Setting& setting,
                     const std::string& has) {
    if (setting.is_absent() || claim_.ignored.covers(path)) return;
    const auto value = resolve(setting, question_.values);
    if (!value || value->empty()) return undecided(gives(setting, has));
    if (*value != has)
      add(Effect::replaces, "2.1",
          fmt::format("{} is {}, the claim's is {}", name, quote(*value), quote(has)));
  }

  void compare_namespace() {
    if (claim_.ignored.covers("metadata.0.namespace") || resolve(claim_.ns, question_.values)) return;
    if (!claim_.ns.is_absent() && !as_before(claim_.ns)) undecided(gives(claim_.ns, live_.ns));
  }

  const TemplateClaim& claim_;
  const LiveClaim& live_;
  const Question& question_;
  std::vector<Change> changes_;
};

}  // namespace

std::vector<Change> changes_of(const TemplateClaim& claim, const LiveClaim& live, const Question& question) {
  return Comparison(claim, live, question).run();
}

bool is_stable(const Setting& setting) {
  for (const Piece& piece : setting.pieces) {
    if (piece.literal) continue;
    const std::string_view text = piece.text;
    const bool plain =
        text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.[]\"") ==
        std::string_view::npos;
    const bool known = text.starts_with("var.") || text.starts_with("data.coder_workspace.") ||
                       text.starts_with("data.coder_workspace_owner.") ||
                       text.starts_with("data.coder_parameter.");
    if (!plain || !known || contains(text, "start_count") || contains(text, "transition")) return false;
  }
  return true;
}

}  // namespace truenas::coder
