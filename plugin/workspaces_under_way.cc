#include "plugin/workspaces_under_way.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "lib/base/text.h"
#include "lib/engine/journal_store.h"
#include "lib/kube/label_selector.h"
#include "lib/workflow/workspace_copy/facts.h"
#include "lib/workflow/workspace_copy/queries.h"

namespace truenas::plugin {
namespace {

// The move of a home that has begun goes on with Coder where it can be asked; one that only a forgotten login
// speaks of is none.
Result<void> find_in_coder(const CoderConnection& coder, const std::string& id, ChosenHome& home) {
  home.no_coder = why_no_coder(coder);
  if (!coder.session) return {};
  if (id.empty()) {
    home.no_coder = "nothing tells which workspace it is of";
    return {};
  }
  const auto found = coder::ServerReader(*coder.session).find_workspace(id);
  if (!found.ok()) {
    if (coder.asked || found.error().kind == Kind::interrupted) return found.error();
    home.no_coder = found.error().what;
    return {};
  }
  home.workspace_id = id;
  return {};
}

// Of the world only what the journal has of it.
Result<workflow::SwapWorld> read_move(const kube::Reader& reader, const std::string& cluster_uid,
                                      const std::string& ns, const std::string& claim) {
  engine::JournalStore journal(reader, {ns, "workspace", claim},
                               {cluster_uid, fmt::format("claim {}/{}", ns, claim), ""}, system_clock());
  TM_TRY_ASSIGN(const engine::Journal read, journal.read());
  workflow::SwapWorld world;
  TM_TRY_ASSIGN(world.facts, workflow::read_swap_facts(read.facts()));
  return world;
}

Result<ChosenHome> home_of_move(const CoderConnection& coder, const workflow::SwapWorld& world,
                                const std::string& ns, const std::string& claim) {
  const coder::Workspace workspace = coder::read_workspace_of_claim(world.facts.first_claim);
  ChosenHome home{ns, claim, workspace.title(), "", ""};
  const std::string& noted = world.facts.workspace_id;
  TM_TRY(find_in_coder(coder, noted.empty() ? workspace.id : noted, home));
  return home;
}

struct ClaimName {
  std::string ns, name;
  auto operator<=>(const ClaimName&) const = default;
};

// "claim coder-workspaces/x", as journals name what they are about.
std::optional<ClaimName> claim_of_journal(const json::Value& journal) {
  constexpr std::string_view k_claim = "claim ";
  const std::string& target = journal.text_at("/data/target");
  const std::size_t slash = target.find('/');
  if (!target.starts_with(k_claim) || slash == std::string::npos) return std::nullopt;
  return ClaimName{target.substr(k_claim.size(), slash - k_claim.size()), target.substr(slash + 1)};
}

// Those that a journal is about; in all namespaces where `ns` is empty.
Result<std::set<ClaimName>> claims_of_journals(const kube::Reader& reader, const std::string& ns) {
  kube::ListOptions list;
  list.label_selector = "app.kubernetes.io/managed-by=kubectl-truenas-migrate";
  list.wanted = {"/metadata/name", "/data/target"};
  TM_TRY_ASSIGN(const std::vector<json::Value> journals, reader.list(kube::k_config_map, ns, list));
  std::set<ClaimName> claims;
  for (const json::Value& journal : journals) {
    if (const auto claim = claim_of_journal(journal)) claims.insert(*claim);
  }
  return claims;
}

// … and that are not there.
Result<std::set<ClaimName>> missing_claims(const kube::Reader& reader, const std::string& ns) {
  TM_TRY_ASSIGN(std::set<ClaimName> missing, claims_of_journals(reader, ns));
  if (missing.empty()) return missing;
  kube::ListOptions list;
  list.wanted = {"/metadata/name", "/metadata/namespace"};
  TM_TRY_ASSIGN(const std::vector<json::Value> claims, reader.list(kube::k_claim, ns, list));
  for (const json::Value& claim : claims) {
    missing.erase({claim.text_at("/metadata/namespace"), claim.text_at("/metadata/name")});
  }
  return missing;
}

Result<bool> is_selected(const workflow::WorkspaceOptions& options, const std::string& claim,
                         const ChosenHome& home, const json::Value& document) {
  if (!options.names.empty()) {
    return !home.title.empty() &&
           std::find(options.names.begin(), options.names.end(), home.title) != options.names.end();
  }
  if (options.name_pattern && !options.name_pattern->matches(claim)) return false;
  const std::optional<bool> matches = kube::matches_labels(options.selector, document);
  if (matches) return *matches;
  return make_error(
      Kind::usage,
      fmt::format("claim {}/{} is absent in the middle of its move, and whether -l {} selects it "
                  "cannot be told",
                  home.ns, home.claim, quote(options.selector)),
      {"name the homes, or select them by =, !=, in, notin and presence"});
}

}  // namespace

Result<std::optional<ChosenHome>> find_under_way(const kube::Reader& reader, const CoderConnection& coder,
                                                 const std::string& cluster_uid, const std::string& ns,
                                                 const std::string& claim) {
  TM_TRY_ASSIGN(const workflow::SwapWorld world, read_move(reader, cluster_uid, ns, claim));
  if (!workflow::is_open(world)) return std::optional<ChosenHome>();
  TM_TRY_ASSIGN(ChosenHome home, home_of_move(coder, world, ns, claim));
  return std::optional<ChosenHome>(std::move(home));
}

Result<std::vector<std::string>> namespaces_of_journals(const kube::Reader& reader,
                                                        const std::string& claim) {
  std::vector<std::string> namespaces;
  TM_TRY_ASSIGN(const std::set<ClaimName> claims, claims_of_journals(reader, ""));
  for (const ClaimName& one : claims) {
    if (one.name == claim) namespaces.push_back(one.ns);
  }
  return namespaces;
}

Result<std::vector<ChosenHome>> find_absent(const kube::Reader& reader, const CoderConnection& coder,
                                            const std::string& cluster_uid,
                                            const workflow::WorkspaceOptions& options) {
  std::vector<ChosenHome> absent;
  const bool by_claim = std::all_of(options.names.begin(), options.names.end(), [](const std::string& name) {
    return name.find('/') == std::string::npos;
  });
  if (!options.names.empty() && by_claim) return absent;
  const std::vector<std::string> everywhere = {""};
  for (const std::string& ns : options.namespaces.empty() ? everywhere : options.namespaces) {
    TM_TRY_ASSIGN(const std::set<ClaimName> missing, missing_claims(reader, ns));
    for (const ClaimName& claim : missing) {
      TM_TRY_ASSIGN(const workflow::SwapWorld world, read_move(reader, cluster_uid, claim.ns, claim.name));
      if (!workflow::is_open(world) || !world.facts.cutover || world.facts.moved) continue;
      TM_TRY_ASSIGN(ChosenHome home, home_of_move(coder, world, claim.ns, claim.name));
      TM_TRY_ASSIGN(const bool selected, is_selected(options, claim.name, home, world.facts.first_claim));
      if (selected) absent.push_back(std::move(home));
    }
  }
  return absent;
}

}  // namespace truenas::plugin
