#include "lib/coder/template_rewrite.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/text.h"
#include "lib/base/unified_diff.h"
#include "lib/coder/claim_match.h"
#include "lib/coder/outcome_internal.h"
#include "lib/coder/template_edit.h"
#include "lib/coder/template_internal.h"

namespace truenas::coder {
namespace {

// A resource in its file.
struct Place {
  const TemplateFile* file = nullptr;
  const Block* block = nullptr;
};

Error refused(std::string what) {
  return make_error(Kind::refused, std::move(what));
}

Result<Place> place_of(const std::deque<TemplateFile>& files, const std::string& address) {
  Place place;
  for (const TemplateFile& file : files) {
    for (const Block& block : file.body.blocks) {
      if (block.type != "resource" || block.labels.size() != 2) continue;
      if (block.labels[0] + "." + block.labels[1] != address) continue;
      if (file.overrides)
        return refused(fmt::format("cannot rewrite {}: {} overrides it", printable(address), file.list.file));
      place = {&file, &block};
    }
  }
  if (place.block == nullptr)
    return make_error(Kind::not_found, fmt::format("the template has no resource {}", printable(address)));
  return place;
}

// The only block of that type; null when there is none, an error when it cannot be seen.
Result<const Block*> part_of(const Block& resource, std::string_view type, const std::string& address) {
  const Block* part = nullptr;
  for (const Block& block : resource.blocks) {
    const bool is_dynamic = block.type == "dynamic" && !block.labels.empty() && block.labels[0] == type;
    if (is_dynamic || (block.type == type && part != nullptr))
      return refused(
          fmt::format("cannot rewrite {}: its {} is not one plain block", printable(address), type));
    if (block.type == type) part = &block;
  }
  return part;
}

// What stands for an expression inside a quoted text: its own text where it is one, else ${…}.
std::string embedded(const Setting& setting, std::string_view fallback) {
  if (setting.is_absent()) return std::string(fallback);
  const std::string& text = setting.expression;
  const bool is_quoted = text.size() >= 2 && text.front() == '"' && text.back() == '"';
  const bool is_one = is_quoted && text.find('"', 1) == text.size() - 1;
  return is_one ? text.substr(1, text.size() - 2) : "${" + text + "}";
}

std::vector<std::string> carry_over_lines(const TemplateClaim& claim, const std::string& from) {
  return {
      "",
      "# For workspaces that exist: their claim is kept under its new type. A new workspace cannot be built",
      "# on this version.",
      "removed {",
      "  from = " + from,
      "  lifecycle {",
      "    destroy = false",
      "  }",
      "}",
      "",
      "import {",
      "  to = " + claim.address(),
      "  id = \"" + embedded(claim.ns, "default") + "/" + embedded(claim.name, "") + "\"",
      "}"};
}

class Rewriter {
 public:
  Rewriter(const std::vector<SourceFile>& files, const std::string& address, Correction correction,
           const Question& question)
      : files_(files), address_(address), correction_(correction), question_(question) {}

  Result<Rewritten> run(const LiveClaim& live) {
    TM_TRY_ASSIGN(const auto read, read_files(files_));
    TM_TRY_ASSIGN(const Template text, read_template(files_));
    TM_TRY_ASSIGN(const Place place, place_of(read, address_));
    claim_ = claim_of(text);
    Question asked = question_;
    asked.text = &text;
    if (asked.before) asked.before->same_version = false;
    judged_ = judge_address(*claim_, live, asked);
    TM_TRY_ASSIGN(const Block* spec, part_of(*place.block, "spec", address_));
    TM_TRY_ASSIGN(const Block* lifecycle, part_of(*place.block, "lifecycle", address_));
    if (spec == nullptr)
      return refused(fmt::format("cannot rewrite {}: it has no spec", printable(address_)));
    if (claim_->name.is_absent())
      return refused(fmt::format("cannot rewrite {}: its name is not in the text", printable(address_)));
    for (const TemplateFile& file : read) {
      TextEdit edit(file.list);
      if (&file == place.file) edit_claim(edit, *place.block, *spec, lifecycle);
      edit_address(edit, file, &file == place.file, text);
      keep(file, edit.text());
    }
    TM_TRY(check(live));
    return std::move(result_);
  }

 private:
  const TemplateClaim* claim_of(const Template& text) const {
    const auto found = std::find_if(text.claims.begin(), text.claims.end(),
                                    [&](const TemplateClaim& claim) { return claim.address() == address_; });
    return found == text.claims.end() ? nullptr : &*found;
  }

  void edit_claim(TextEdit& edit, const Block& resource, const Block& spec, const Block* lifecycle) {
    const Attribute* storage_class = spec.find_attribute("storage_class_name");
    if (correction_ == Correction::remove_class) {
      if (storage_class != nullptr) edit.remove(*storage_class);
      return;
    }
    const std::string name = "\"" + question_.new_class + "\"";
    if (storage_class == nullptr) {
      edit.append_to(spec, {"storage_class_name = " + name});
    } else if (!claim_->storage_class.is_literal() || claim_->storage_class.value != question_.new_class) {
      edit.replace_value(*storage_class, name);
    }
    const Attribute* ignored = lifecycle == nullptr ? nullptr : lifecycle->find_attribute("ignore_changes");
    if (claim_->ignored.kind == IgnoredChanges::Kind::all) return;
    if (ignored != nullptr) return edit.replace_value(*ignored, "all");
    if (lifecycle != nullptr) return edit.append_to(*lifecycle, {"ignore_changes = all"});
    edit.append_to(resource, {"lifecycle {", "  ignore_changes = all", "}"});
  }

  // A rename of the type is carried over where the text does not do it already.
  void edit_address(TextEdit& edit, const TemplateFile& file, bool is_place, const Template& text) {
    const std::string before = question_.before ? without_index(question_.before->address) : "";
    if (before.empty() || before == address_ || judged_.carried_over) return;
    const bool same_type = before.substr(0, before.find('.')) == claim_->type;
    const auto is_ours = [&](const std::string& from) { return without_index(from) == before; };
    if (same_type && std::any_of(text.moved.begin(), text.moved.end(),
                                 [&](const Moved& moved) { return is_ours(moved.from); }))
      return;
    for (const Block& block : file.body.blocks) {
      if (block.type != "moved" && block.type != "removed" && block.type != "import") continue;
      const Attribute* named = block.find_attribute(block.type == "import" ? "to" : "from");
      const std::string named_address =
          named == nullptr ? "" : without_index(squeezed({&file.list, named->value}));
      if (named_address == (block.type == "import" ? address_ : before)) edit.remove(block);
    }
    if (!is_place) return;
    edit.append(carry_over_lines(*claim_, before));
    result_.warnings.push_back(
        "this version carries existing workspaces over once: a new workspace cannot be built on it (I5), so "
        "make it active only when every workspace was built on it, and push the text without removed and "
        "import then");
  }

  void keep(const TemplateFile& file, std::string text) {
    if (text == file.list.text) return;
    result_.diff += unified_diff(file.list.file, file.list.text, text);
    result_.files.push_back({file.list.file, std::move(text)});
  }

  // The files as they will be.
  std::vector<SourceFile> corrected() const {
    std::vector<SourceFile> files = files_;
    for (SourceFile& file : files) {
      for (const SourceFile& changed : result_.files) {
        if (root_file_name(file.path) == changed.path) file.text = changed.text;
      }
    }
    return files;
  }

  Result<void> check(const LiveClaim& live) {
    TM_TRY_ASSIGN(const Template text, read_template(corrected()));
    const TemplateClaim* claim = claim_of(text);
    const Match match = find_claim(text, live, question_.values);
    Question asked = question_;
    asked.text = &text;
    if (asked.before) asked.before->same_version = false;
    // A name of another format: the state's address tells which claim it is.
    const TemplateClaim* made = match.kind == Match::Kind::none ? claim_in_state(asked) : match.claim;
    if (claim == nullptr || (made != claim && (made != nullptr || match.kind == Match::Kind::none)))
      return refused(fmt::format("claim {}/{} is not made by {}", live.ns, live.name, printable(address_)));
    for (const LiveClaim& state : {live, swapped(live, question_)}) TM_TRY(check(next_build(asked, state)));
    return {};
  }

  Result<void> check(const Outcome& outcome) {
    const Fate fate = outcome.fate == Fate::unknown ? outcome.if_so : outcome.fate;
    if (fate != Fate::kept && fate != Fate::updated) {
      return make_error(Kind::refused,
                        fmt::format("the corrected text would still not keep the claim ({}): {}",
                                    outcome.row.empty() ? fate_name(fate) : outcome.row, outcome.consequence),
                        outcome.advice.empty() ? std::vector<std::string>() : std::vector{outcome.advice});
    }
    for (const std::string& condition : outcome.conditions) {
      const std::string warning = "kept only if " + condition;
      if (std::find(result_.warnings.begin(), result_.warnings.end(), warning) == result_.warnings.end())
        result_.warnings.push_back(warning);
    }
    return {};
  }

  const std::vector<SourceFile>& files_;
  const std::string& address_;
  const Correction correction_;
  const Question& question_;
  const TemplateClaim* claim_ = nullptr;
  AddressVerdict judged_;  // of the text as it is
  Rewritten result_;
};

}  // namespace

Result<Rewritten> rewrite_template(const std::vector<SourceFile>& files, const std::string& address,
                                   Correction correction, const Question& question, const LiveClaim& live) {
  return Rewriter(files, address, correction, question).run(live);
}

std::vector<std::string> push_commands(const std::string& template_name, const std::string& directory,
                                       const std::string& version) {
  const std::string name = shell_word(template_name);
  return {fmt::format("coder templates push {} --directory {} --name {} --activate=false --yes", name,
                      shell_word(directory), shell_word(version)),
          fmt::format("coder templates versions promote --template={} --template-version={}", name,
                      shell_word(version))};
}

}  // namespace truenas::coder
