// Which files make up a template, and what they say together.

#include <fmt/format.h>

#include "lib/base/text.h"
#include "lib/coder/template_internal.h"
#include "lib/json/value.h"

namespace truenas::coder {
namespace {

// "resource", {"type": …} or [{"type": …}]: both spellings of JSON syntax.
void collect_keys(const json::Value& value, std::vector<std::string>& keys) {
  for (const auto& [key, unused] : value.members()) keys.push_back(key);
  for (const json::Value& item : value.items()) {
    for (const auto& [key, unused] : item.members()) keys.push_back(key);
  }
}

}  // namespace

std::string without_index(std::string_view address) {
  return std::string(address.substr(0, address.find('[')));
}

bool is_override_file(std::string_view name) {
  const std::string_view stem = name.substr(0, name.find(".tf"));
  return stem == "override" || stem.ends_with("_override");
}

std::string root_file_name(std::string_view path) {
  while (path.starts_with("./")) path.remove_prefix(2);
  const bool is_hidden = path.starts_with(".") || path.starts_with("#");
  if (is_hidden || contains(path, "/") || !(path.ends_with(".tf") || path.ends_with(".tf.json"))) return "";
  return std::string(path);
}

Result<std::deque<TemplateFile>> read_files(const std::vector<SourceFile>& files) {
  std::deque<TemplateFile> result;
  bool found = false;
  for (const SourceFile& file : files) {
    const std::string name = root_file_name(file.path);
    found = found || !name.empty();
    if (!name.ends_with(".tf")) continue;
    TM_TRY_ASSIGN(TokenList list, tokenize(file.text, name));
    TM_TRY_ASSIGN(Block body, read_body(list));
    result.push_back({std::move(list), std::move(body), is_override_file(name)});
  }
  if (!found) return make_error(Kind::not_found, "the template's root directory holds no *.tf file");
  return result;
}

Locals locals_of(const std::deque<TemplateFile>& files) {
  Locals locals;
  for (const TemplateFile& file : files) {
    for (const Block& block : file.body.blocks) {
      if (block.type != "locals") continue;
      for (const Attribute& attribute : block.attributes) {
        const Expression value = {&file.list, attribute.value};
        const auto [place, added] = locals.emplace(attribute.name, value);
        if (!added || file.overrides) place->second = Expression();
      }
    }
  }
  return locals;
}

Result<std::vector<Unknown>> unknowns_of_json(const SourceFile& file) {
  const std::string name = root_file_name(file.path);
  TM_TRY_ASSIGN(const json::Value document, json::parse(file.text, name));
  std::vector<Unknown> unknowns;
  std::vector<const json::Value*> bodies = {&document};
  for (const json::Value& item : document.items()) bodies.push_back(&item);
  for (const json::Value* body : bodies) {
    for (const std::string_view key : {"module", "locals", "moved", "removed", "import"}) {
      if (body->find(key) != nullptr)
        unknowns.push_back({name, 0, fmt::format("{} in JSON syntax is not looked into", key)});
    }
    std::vector<std::string> types;
    if (const json::Value* resources = body->find("resource")) collect_keys(*resources, types);
    for (const std::string& type : types) {
      if (is_claim_type(type) || type == "kubernetes_manifest" || type == "kubectl_manifest" ||
          type == "helm_release" || type.starts_with("kubernetes_stateful_set"))
        unknowns.push_back({name, 0, fmt::format("{} in JSON syntax is not looked into", printable(type))});
    }
  }
  return unknowns;
}

}  // namespace truenas::coder
