// A template's text as wishes.

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/text.h"
#include "tests/fakes/coderd_terraform.h"

namespace truenas::fakes {
namespace {

bool is_claim(const TextBlock& block) {
  return block.type == "resource" && block.labels.size() == 2 &&
         (block.labels[0] == "kubernetes_persistent_volume_claim" ||
          block.labels[0] == "kubernetes_persistent_volume_claim_v1");
}

Result<std::string> text_of(const TextBlock* block, std::string_view name, const TextValues& values) {
  const TextExpression* expression = block == nullptr ? nullptr : block->find(name);
  if (expression == nullptr) return std::string("null");
  return evaluate(*expression, values);
}

Result<std::optional<std::string>> optional_text(const TextBlock* block, std::string_view name,
                                                 const TextValues& values) {
  TM_TRY_ASSIGN(std::string text, text_of(block, name, values));
  if (text == "null") return std::optional<std::string>();
  return std::optional<std::string>(std::move(text));
}

Result<std::map<std::string, std::string>> map_of(const TextBlock* block, std::string_view name,
                                                  const TextValues& values) {
  std::map<std::string, std::string> result;
  const TextExpression* expression = block == nullptr ? nullptr : block->find(name);
  if (expression == nullptr) return result;
  if (expression->kind != TextExpression::Kind::object) {
    return make_error(Kind::format, fmt::format("template: the stand-in cannot read {}", name));
  }
  for (const auto& [key, value] : expression->members) {
    TM_TRY_ASSIGN(result[key], evaluate(value, values));
  }
  return result;
}

// "requests = {…}" or "requests {…}": the size either way.
Result<std::string> request_of(const TextBlock& spec, const TextValues& values) {
  const TextBlock* resources = spec.find_block("resources");
  if (resources == nullptr) return make_error(Kind::format, "template: a claim without resources");
  TM_TRY_ASSIGN(const auto requests, map_of(resources, "requests", values));
  const auto found = requests.find("storage");
  if (found == requests.end()) return make_error(Kind::format, "template: a claim that asks for no storage");
  return found->second;
}

Result<WantedClaim> claim_of(const TextBlock& block, const TextValues& values) {
  WantedClaim claim;
  claim.address = block.labels[0] + "." + block.labels[1];
  const TextBlock *metadata = block.find_block("metadata"), *spec = block.find_block("spec");
  if (metadata == nullptr || spec == nullptr)
    return make_error(Kind::format, "template: a claim without spec");
  TM_TRY_ASSIGN(claim.name, text_of(metadata, "name", values));
  TM_TRY_ASSIGN(claim.ns, text_of(metadata, "namespace", values));
  TM_TRY_ASSIGN(claim.labels, map_of(metadata, "labels", values));
  TM_TRY_ASSIGN(claim.annotations, map_of(metadata, "annotations", values));
  TM_TRY_ASSIGN(claim.storage_class, optional_text(spec, "storage_class_name", values));
  TM_TRY_ASSIGN(claim.volume_name, optional_text(spec, "volume_name", values));
  TM_TRY_ASSIGN(claim.volume_mode, optional_text(spec, "volume_mode", values));
  TM_TRY_ASSIGN(claim.request, request_of(*spec, values));
  if (const TextExpression* modes = spec->find("access_modes")) {
    for (const TextExpression& mode : modes->items) {
      TM_TRY_ASSIGN(std::string text, evaluate(mode, values));
      claim.access_modes.insert(std::move(text));
    }
  }
  const TextBlock* lifecycle = block.find_block("lifecycle");
  if (const TextExpression* ignored = lifecycle == nullptr ? nullptr : lifecycle->find("ignore_changes")) {
    if (ignored->kind == TextExpression::Kind::reference) claim.ignored.push_back(ignored->text);
    for (const TextExpression& item : ignored->items) claim.ignored.push_back(item.text);
  }
  return claim;
}

Result<bool> is_there(const TextBlock& block, const TextValues& values) {
  TM_TRY_ASSIGN(const std::string count, text_of(&block, "count", values));
  return count == "null" || count != "0";
}

std::string reference_of(const TextBlock& block, std::string_view name) {
  const TextExpression* expression = block.find(name);
  return expression == nullptr ? "" : expression->text;
}

}  // namespace

bool WantedClaim::ignores(std::string_view path) const {
  return std::any_of(ignored.begin(), ignored.end(), [&](const std::string& entry) {
    return entry == "all" ||
           (path.starts_with(entry) &&
            (path.size() == entry.size() || path[entry.size()] == '.' || path[entry.size()] == '['));
  });
}

Result<WantedState> read_wanted(const std::string& text, TextValues values) {
  TM_TRY_ASSIGN(const TextBlock file, parse_text(text));
  for (const TextBlock& block : file.blocks) {
    // Coder knows a parameter by its name, the text by its block's label.
    if (block.type == "data" && block.labels.size() == 2 && block.labels[0] == "coder_parameter") {
      TM_TRY_ASSIGN(const std::string name, text_of(&block, "name", values));
      const auto value = values.find("data.coder_parameter." + name + ".value");
      if (value != values.end())
        values["data.coder_parameter." + block.labels[1] + ".value"] = std::string(value->second);
    }
    if (block.type != "locals") continue;
    for (const auto& [name, expression] : block.attributes) {
      const Result<std::string> value = evaluate(expression, values);
      if (value.ok()) values.emplace("local." + name, *value);
    }
  }
  WantedState wanted;
  for (const TextBlock& block : file.blocks) {
    if (is_claim(block)) {
      TM_TRY_ASSIGN(const bool there, is_there(block, values));
      if (!there) continue;
      TM_TRY_ASSIGN(WantedClaim claim, claim_of(block, values));
      wanted.claims.push_back(std::move(claim));
    } else if (block.type == "removed") {
      const TextBlock* lifecycle = block.find_block("lifecycle");
      TM_TRY_ASSIGN(const std::string destroy, text_of(lifecycle, "destroy", values));
      wanted.removed.push_back({reference_of(block, "from"), destroy != "false"});
    } else if (block.type == "import") {
      TM_TRY_ASSIGN(wanted.imports[reference_of(block, "to")], text_of(&block, "id", values));
    } else if (block.type == "moved") {
      wanted.moved[reference_of(block, "from")] = reference_of(block, "to");
    }
  }
  return wanted;
}

}  // namespace truenas::fakes
