// One claim resource of a template: every setting that Terraform's provider compares.

#include <algorithm>

#include "lib/base/text.h"
#include "lib/coder/template_internal.h"

namespace truenas::coder {
namespace {

using State = Setting::State;

// A block of which there may be one ("spec"), written out, made by a dynamic block, or not there.
struct Part {
  const Block* block = nullptr;
  const Block* hidden =
      nullptr;  // the dynamic block, or a second one, behind which its settings cannot be seen
};

Part part_of(const Part& parent, std::string_view type) {
  if (parent.hidden != nullptr) return {nullptr, parent.hidden};
  Part part;
  if (parent.block == nullptr) return part;
  for (const Block& block : parent.block->blocks) {
    const bool is_dynamic = block.type == "dynamic" && !block.labels.empty() && block.labels[0] == type;
    if (is_dynamic || (block.type == type && part.block != nullptr)) part.hidden = &block;
    if (block.type == type) part.block = &block;
  }
  return part;
}

class ClaimReader {
 public:
  ClaimReader(const TokenList& list, const Locals& locals) : list_(list), locals_(locals) {}

  TemplateClaim read(const Block& block) {
    TemplateClaim claim;
    claim.type = block.labels[0];
    claim.label = block.labels[1];
    claim.file = list_.file;
    claim.line = list_.tokens[block.type_token].line;
    const Part whole{&block, nullptr}, metadata = part_of(whole, "metadata"), spec = part_of(whole, "spec");
    claim.name = setting_in(metadata, "name");
    claim.generate_name = setting_in(metadata, "generate_name");
    claim.ns = setting_in(metadata, "namespace");
    claim.labels = map_in(metadata, "labels");
    claim.annotations = map_in(metadata, "annotations");
    claim.storage_class = setting_in(spec, "storage_class_name");
    claim.volume_name = setting_in(spec, "volume_name");
    claim.volume_mode = setting_in(spec, "volume_mode");
    claim.access_modes = list_in(spec, "access_modes");
    const Part selector = part_of(spec, "selector");
    claim.selector = selector.hidden ? State::undecided : selector.block ? State::literal : State::absent;
    const Part resources = part_of(spec, "resources");
    claim.request = storage_in(resources, "requests");
    claim.limits = storage_in(resources, "limits").state;
    claim.wait_until_bound = setting_in(whole, "wait_until_bound");
    read_repetition(block, claim);
    const Part lifecycle = part_of(whole, "lifecycle");
    claim.prevent_destroy = setting_in(lifecycle, "prevent_destroy");
    claim.ignored = ignored_in(lifecycle);
    return claim;
  }

 private:
  Expression head_of(const Block& block) const { return {&list_, {block.type_token, block.open}}; }

  // An attribute that is looked for; where a block stands in its place (`metadata = [{…}]` was a block once,
  // and the other way round) nothing is decided.
  Setting setting_in(const Part& part, std::string_view name) const {
    if (part.hidden != nullptr) return undecided_setting(head_of(*part.hidden));
    if (part.block == nullptr) return {};
    if (const Block* block = part.block->find_block(name)) return undecided_setting(head_of(*block));
    return setting_of(list_, part.block->find_attribute(name), locals_);
  }

  // The expression of an attribute with parentheses and locals followed; no list where absent or null.
  Expression value_in(const Part& part, std::string_view name) const {
    const Attribute* attribute = part.block == nullptr ? nullptr : part.block->find_attribute(name);
    if (attribute == nullptr) return {};
    const Expression value = followed({&list_, attribute->value}, locals_);
    return is_null(value) ? Expression() : value;
  }

  ListSetting list_in(const Part& part, std::string_view name) const {
    ListSetting list;
    const Setting whole = setting_in(part, name);
    if (whole.is_absent()) return list;
    list.state = State::undecided;
    list.expression = whole.expression;
    const auto items = part.hidden != nullptr ? std::nullopt : list_items(value_in(part, name));
    if (!items) return list;
    for (const Expression& item : *items) {
      const auto pieces = pieces_of(item, locals_);
      if (pieces.size() != 1 || !pieces[0].literal) return list;
      list.values.push_back(pieces[0].text);
    }
    list.state = State::literal;
    return list;
  }

  MapSetting map_in(const Part& part, std::string_view name) const {
    MapSetting map;
    const Setting whole = setting_in(part, name);
    if (whole.is_absent()) return map;
    map.expression = whole.expression;
    const auto items = part.hidden != nullptr ? std::nullopt : object_items(value_in(part, name));
    map.decided = items.has_value();
    if (!items) return map;
    for (const ObjectItem& item : *items) {
      const auto pieces = pieces_of(item.value, locals_);
      const bool literal = pieces.empty() || (pieces.size() == 1 && pieces[0].literal);
      map.entries[item.key] =
          literal ? std::optional(pieces.empty() ? "" : pieces[0].text) : std::optional<std::string>();
    }
    return map;
  }

  // requests = { storage = … } or limits.
  Setting storage_in(const Part& resources, std::string_view name) const {
    Setting whole = setting_in(resources, name);
    if (whole.is_absent() || resources.hidden != nullptr) return whole;
    const auto items = object_items(value_in(resources, name));
    Setting undecided = whole;
    undecided.state = State::undecided;
    if (undecided.pieces.empty()) undecided.pieces.push_back({whole.expression, false, {}});
    if (!items) return undecided;
    Setting storage;
    for (const ObjectItem& item : *items) {
      if (item.key != "storage") continue;
      if (!storage.is_absent()) return undecided;
      const Attribute attribute{item.key, item.value.range.first, item.value.range};
      storage = setting_of(*item.value.list, &attribute, locals_);
    }
    return storage;
  }

  void read_repetition(const Block& block, TemplateClaim& claim) const {
    const Attribute* each = block.find_attribute("for_each");
    const Attribute* count = block.find_attribute("count");
    if (each != nullptr) {
      claim.count = undecided_setting({&list_, each->value});
      claim.repetition = Repetition::undecided;
      return;
    }
    claim.count = setting_of(list_, count, locals_);
    if (claim.count.is_absent()) return;
    if (claim.count.is_literal()) {
      claim.repetition = claim.count.value == "1"   ? Repetition::once
                         : claim.count.value == "0" ? Repetition::none
                                                    : Repetition::undecided;
      return;
    }
    claim.repetition = by_start(squeezed(followed({&list_, count->value}, locals_)));
  }

  // data.coder_workspace.LABEL.start_count, or the same by the transition.
  static Repetition by_start(std::string_view text) {
    if (!contains(text, "start_count") && !contains(text, "transition")) return Repetition::undecided;
    constexpr std::string_view workspace = "data.coder_workspace.";
    const std::size_t dot = text.starts_with(workspace) ? text.find('.', workspace.size()) : text.size();
    const std::string_view field = text.substr(std::min(dot, text.size()));
    const bool understood = field == ".start_count" || field == ".transition==\"start\"?1:0" ||
                            field == ".transition==\"stop\"?0:1";
    return understood ? Repetition::follows_start : Repetition::mentions_the_start;
  }

  IgnoredChanges ignored_in(const Part& lifecycle) const {
    IgnoredChanges ignored;
    const Setting whole = setting_in(lifecycle, "ignore_changes");
    if (whole.is_absent()) return ignored;
    ignored.kind = IgnoredChanges::Kind::undecided;
    const Attribute* attribute =
        lifecycle.block == nullptr ? nullptr : lifecycle.block->find_attribute("ignore_changes");
    if (lifecycle.hidden != nullptr || attribute == nullptr) return ignored;
    const Expression value{&list_, attribute->value};
    if (squeezed(value) == "all") return ignored.kind = IgnoredChanges::Kind::all, ignored;
    const auto items = list_items(value);
    if (!items) return ignored;
    for (const Expression& item : *items) ignored.paths.push_back(path_of(squeezed(item)));
    const bool odd = std::any_of(ignored.paths.begin(), ignored.paths.end(),
                                 [](const std::string& path) { return path.empty() || contains(path, "*"); });
    ignored.kind = odd              ? IgnoredChanges::Kind::undecided
                   : items->empty() ? IgnoredChanges::Kind::nothing
                                    : IgnoredChanges::Kind::paths;
    return ignored;
  }

  // spec[0].storage_class_name, spec.0.storage_class_name and "spec[0].storage_class_name" are the same.
  static std::string path_of(std::string_view spelled) {
    std::string path;
    for (const char c : spelled) {
      if (c == '[') path += '.';
      if (c != '[' && c != ']' && c != '"') path += c;
    }
    return path;
  }

  const TokenList& list_;
  const Locals& locals_;
};

}  // namespace

TemplateClaim read_claim_block(const TokenList& list, const Block& block, const Locals& locals) {
  return ClaimReader(list, locals).read(block);
}

}  // namespace truenas::coder
