#include "lib/coder/template.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "lib/base/text.h"
#include "lib/coder/template_internal.h"
#include "lib/json/value.h"

namespace truenas::coder {
namespace {

// Resources that can make claims in ways that the text does not show as a claim resource.
bool may_hold_claim(std::string_view type) {
  return type == "kubernetes_manifest" || type == "kubectl_manifest" || type == "helm_release" ||
         type == "kubernetes_stateful_set" || type == "kubernetes_stateful_set_v1";
}

bool makes_claims(const TemplateFile& file, const Block& block) {
  const std::string_view type = block.labels[0];
  if (!may_hold_claim(type)) return false;
  // A StatefulSet holds one only where it has templates for them, by whatever block.
  const Token &open = file.list.tokens[block.open], &close = file.list.tokens[block.close];
  return !type.starts_with("kubernetes_stateful_set") ||
         contains(file.list.text.substr(open.begin, close.begin - open.begin), "volume_claim_template");
}

std::string address_at(const TemplateFile& file, const Block& block, std::string_view attribute) {
  const Attribute* found = block.find_attribute(attribute);
  return found == nullptr ? "" : squeezed({&file.list, found->value});
}

bool names_claim(std::string_view address) {
  return is_claim_type(address.substr(0, address.find('.')));
}

class TemplateReader {
 public:
  TemplateReader(const Locals& locals, Template& result) : locals_(locals), result_(result) {}

  Result<void> read(const TemplateFile& file) {
    for (const Block& block : file.body.blocks) {
      if (block.type == "resource" && block.labels.size() == 2) TM_TRY(read_resource(file, block));
      if (block.type == "data" && block.labels.size() == 2) read_data(file, block);
      if (block.type == "module") read_module(file, block);
      if (block.type == "moved") read_moved(file, block);
      if (block.type == "removed") read_removed(file, block);
      if (block.type == "import") read_import(file, block);
    }
    return {};
  }

  // Once all files are read. A file in JSON syntax may change any claim.
  void mark_overridden(const std::string& json_file) {
    for (TemplateClaim& claim : result_.claims) {
      const auto found = overridden_.find(printable(claim.address()));
      if (found != overridden_.end()) claim.overridden_by = found->second;
      if (!json_file.empty()) claim.overridden_by = json_file;
    }
  }

 private:
  static std::size_t line_of(const TemplateFile& file, const Block& block) {
    return file.list.tokens[block.type_token].line;
  }
  void unknown(const TemplateFile& file, const Block& block, std::string what) {
    result_.unknowns.push_back({file.list.file, line_of(file, block), std::move(what)});
  }

  Result<void> read_resource(const TemplateFile& file, const Block& block) {
    const std::string address = printable(block.labels[0] + "." + block.labels[1]);
    if (makes_claims(file, block)) unknown(file, block, address + " may make a claim by other means");
    if (!is_claim_type(block.labels[0])) return {};
    if (file.overrides) {
      overridden_.emplace(address, file.list.file);
      return unknown(file, block, address + " is changed by an override file"), Result<void>();
    }
    if (!addresses_.insert(address).second) {
      return make_error(Kind::format, fmt::format("{}:{}: {} is there twice", file.list.file,
                                                  line_of(file, block), address));
    }
    result_.claims.push_back(read_claim_block(file.list, block, locals_));
    return {};
  }

  void read_data(const TemplateFile& file, const Block& block) {
    if (block.labels[0] != "coder_parameter") return;
    const Setting name = setting_of(file.list, block.find_attribute("name"), locals_);
    if (name.is_literal() && !file.overrides) result_.parameters[block.labels[1]] = name.value;
  }

  void read_module(const TemplateFile& file, const Block& block) {
    const std::string label = block.labels.empty() ? "" : quote(block.labels[0]);
    const Attribute* source = block.find_attribute("source");
    unknown(file, block,
            fmt::format("module {} ({}) may hold a claim", label,
                        source == nullptr ? "no source" : printable(source_of({&file.list, source->value}))));
  }

  void read_moved(const TemplateFile& file, const Block& block) {
    const std::string from = address_at(file, block, "from"), to = address_at(file, block, "to");
    if (names_claim(from) || names_claim(to)) result_.moved.push_back({from, to});
  }

  void read_removed(const TemplateFile& file, const Block& block) {
    const std::string from = address_at(file, block, "from");
    if (!names_claim(from)) return;
    const Block* lifecycle = block.find_block("lifecycle");
    const Setting destroy = lifecycle == nullptr
                                ? Setting()
                                : setting_of(file.list, lifecycle->find_attribute("destroy"), locals_);
    result_.removed.push_back({from, !(destroy.is_literal() && destroy.value == "false")});
  }

  void read_import(const TemplateFile& file, const Block& block) {
    const std::string to = address_at(file, block, "to");
    if (!names_claim(to)) return;
    Import import{to, setting_of(file.list, block.find_attribute("id"), locals_)};
    if (const Attribute* each = block.find_attribute("for_each"))
      import.id = undecided_setting({&file.list, each->value});
    result_.imports.push_back(std::move(import));
  }

  const Locals& locals_;
  Template& result_;
  std::set<std::string> addresses_;
  std::map<std::string, std::string> overridden_;  // address to file
};

}  // namespace

bool is_claim_type(std::string_view type) {
  return type == "kubernetes_persistent_volume_claim" || type == "kubernetes_persistent_volume_claim_v1";
}

bool IgnoredChanges::covers(std::string_view path) const {
  if (kind == Kind::all) return true;
  if (kind != Kind::paths) return false;
  return std::any_of(paths.begin(), paths.end(), [&](const std::string& ignored) {
    return path.starts_with(ignored) && (path.size() == ignored.size() || path[ignored.size()] == '.');
  });
}

Result<Template> read_template(const std::vector<SourceFile>& files) {
  TM_TRY_ASSIGN(const auto read, read_files(files));
  const Locals locals = locals_of(read);
  Template result;
  TemplateReader reader(locals, result);
  for (const TemplateFile& file : read) TM_TRY(reader.read(file));
  std::string overriding;  // in JSON syntax
  for (const SourceFile& file : files) {
    const std::string name = root_file_name(file.path);
    if (!name.ends_with(".tf.json")) continue;
    TM_TRY_ASSIGN(const auto unknowns, unknowns_of_json(file));
    if (is_override_file(name) && !unknowns.empty()) overriding = name;
    result.unknowns.insert(result.unknowns.end(), unknowns.begin(), unknowns.end());
  }
  reader.mark_overridden(overriding);
  return result;
}

}  // namespace truenas::coder
