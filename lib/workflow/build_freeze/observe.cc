// What Coder may do with claims, as the API server says.

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "lib/base/text.h"
#include "lib/kube/account_access.h"
#include "lib/workflow/build_freeze.h"
#include "lib/workflow/build_freeze/claim_role.h"

namespace truenas::workflow {
namespace {

using json::Value;

// By name and not by part-of: workspaces' own workloads carry part-of=coder too.
constexpr const char* k_coder_selector = "app.kubernetes.io/name in (coder,coder-provisioner)";
// Of a frozen Role's other claims so many are looked after at a look; the others count as needed meanwhile.
constexpr std::size_t k_owners_a_look = 4;
constexpr const char* k_verbs[] = {"create", "delete", "deletecollection"};

bool is_workspace_proxy(const Value& deployment) {
  for (const Value& container : deployment.items_at("/spec/template/spec/containers")) {
    for (const char* list : {"/args", "/command"}) {
      for (const Value& word : container.items_at(list)) {
        if (word.text() == "wsproxy") return true;
      }
    }
  }
  return false;
}

using Account = std::pair<std::string, std::string>;  // namespace, name

struct Coder {
  std::set<Account> accounts;
  bool deployed = false, down = true;
};

Result<Coder> read_coder(const kube::Reader& reader, const std::string& coder_ns) {
  Coder coder;
  kube::ListOptions list;
  list.label_selector = k_coder_selector;
  list.wanted = {"/metadata/name", "/spec/replicas", "/spec/template/spec/serviceAccountName",
                 "/spec/template/spec/containers/*/args", "/spec/template/spec/containers/*/command"};
  TM_TRY_ASSIGN(const std::vector<Value> deployments, reader.list(kube::k_deployment, coder_ns, list));
  for (const Value& deployment : deployments) {
    if (is_workspace_proxy(deployment)) continue;
    coder.deployed = true;
    if (deployment.integer_at("/spec/replicas", 1) > 0) coder.down = false;
    const std::string& account = deployment.text_at("/spec/template/spec/serviceAccountName");
    coder.accounts.emplace(coder_ns, account.empty() ? "default" : account);
  }
  if (!coder.down) return coder;
  list.wanted = {"/metadata/name", "/status/phase"};
  TM_TRY_ASSIGN(const std::vector<Value> pods, reader.list(kube::k_pod, coder_ns, list));
  coder.down = std::all_of(pods.begin(), pods.end(), [](const Value& pod) {
    const std::string& phase = pod.text_at("/status/phase");
    return phase == "Succeeded" || phase == "Failed";
  });
  return coder;
}

bool is_account(const Value& subject) {
  return subject.text_at("/kind") == "ServiceAccount";
}

// Provisioners and helpers with accounts of their own; whether they may build is asked of the server.
void add_bound_accounts(const std::vector<Value>& bindings, const std::string& coder_ns, Coder& coder) {
  for (const Value& binding : bindings) {
    for (const Value& subject : binding.items_at("/subjects")) {
      const std::string &ns = subject.text_at("/namespace"), &name = subject.text_at("/name");
      if (!is_account(subject) || name.empty()) continue;
      if (ns == coder_ns || contains(name, "coder")) coder.accounts.emplace(ns, name);
    }
  }
}

Result<void> read_rights(const kube::Reader& reader, const std::string& ns, const Coder& coder,
                         Builders& builders) {
  for (const auto& [account_ns, account] : coder.accounts) {
    for (const char* verb : k_verbs) {
      kube::AccessQuery query;
      query.verb = verb;
      query.resource = kube::k_claim.plural;
      query.ns = ns;
      TM_TRY_ASSIGN(const bool may, kube::can_service_account(reader, account_ns, account, query));
      if (!may) continue;
      builders.able.push_back(
          fmt::format("system:serviceaccount:{}:{} may {} persistentvolumeclaims in namespace {}", account_ns,
                      account, verb, ns));
    }
  }
  return {};
}

bool binds_coder(const Value& binding, const Coder& coder) {
  const auto& subjects = binding.items_at("/subjects");
  return binding.text_at("/roleRef/kind") == "Role" &&
         std::any_of(subjects.begin(), subjects.end(), [&](const Value& subject) {
           return is_account(subject) &&
                  coder.accounts.contains({subject.text_at("/namespace"), subject.text_at("/name")});
         });
}

// The freeze of a claim whose name is absent must outlive other claims' runs; so must that of a run that is
// about to delete its claim.
Result<void> look_after(const kube::Reader& reader, FreezeOwner& owner, RunWatch& runs) {
  const std::size_t slash = owner.claim.find('/');
  const std::string ns = owner.claim.substr(0, slash), name = owner.claim.substr(slash + 1);
  // The run first: one that ends in between leaves its claim bound.
  TM_TRY_ASSIGN(owner.alive, runs.is_alive(reader, ns, name));
  TM_TRY_ASSIGN(const auto claim, reader.find(kube::k_claim, ns, name));
  owner.bound = claim && claim->text_at("/status/phase") == "Bound" &&
                claim->text_at("/metadata/deletionTimestamp").empty();
  return {};
}

// What one look for one claim needs.
struct Look {
  const kube::Reader& reader;
  const std::string& ns;
  std::string own;  // "ns/claim"
  RunWatch& runs;
  const FreezeSources& sources;
};

Result<ClaimRole> read_role(const Look& look, const Value& object) {
  ClaimRole role = claim_role(object);
  std::size_t looked = 0;
  for (FreezeOwner& owner : role.owners) {
    // Not bound: as far as anybody here knows.
    const bool here = look.sources.runs_here && look.sources.runs_here(owner.claim);
    if (owner.claim != look.own && !here && looked++ < k_owners_a_look)
      TM_TRY(look_after(look.reader, owner, look.runs));
  }
  return role;
}

Result<void> read_frozen(const Look& look, BuildFreeze& freeze) {
  TM_TRY_ASSIGN(const std::vector<Value> objects,
                look.sources.frozen ? look.sources.frozen() : read_frozen_roles(look.reader, look.ns));
  for (const Value& object : objects) {
    TM_TRY_ASSIGN(ClaimRole role, read_role(look, object));
    freeze.roles.push_back(std::move(role));
  }
  return {};
}

Result<void> read_bound(const Look& look, const std::vector<std::string>& names, BuildFreeze& freeze) {
  for (const std::string& name : names) {
    const bool known = std::any_of(freeze.roles.begin(), freeze.roles.end(),
                                   [&](const ClaimRole& role) { return role.name == name; });
    if (known) continue;
    TM_TRY_ASSIGN(const auto found, look.sources.role ? look.sources.role(name)
                                                      : look.reader.find(kube::k_role, look.ns, name));
    if (!found) continue;
    TM_TRY_ASSIGN(ClaimRole role, read_role(look, *found));
    if (role.grants || role.frozen) freeze.roles.push_back(std::move(role));
  }
  return {};
}

Result<void> read_all(const Look& look, const std::string& coder_ns, BuildFreeze& freeze) {
  // First: a freeze is seen whatever of Coder is not.
  TM_TRY(read_frozen(look, freeze));
  TM_TRY_ASSIGN(const Builders builders, look.sources.builders
                                             ? look.sources.builders()
                                             : read_builders(look.reader, coder_ns, look.ns));
  freeze.deployed = builders.deployed;
  freeze.down = builders.down;
  freeze.able = builders.able;
  freeze.unknown = builders.unknown;
  if (!freeze.unknown.empty()) return {};
  return read_bound(look, builders.roles, freeze);
}

Result<void> fill(const kube::Reader& reader, const std::string& coder_ns, const std::string& ns,
                  Builders& builders) {
  TM_TRY_ASSIGN(Coder coder, read_coder(reader, coder_ns));
  builders.deployed = coder.deployed;
  builders.down = coder.deployed && coder.down;
  if (!coder.deployed) return {};
  TM_TRY_ASSIGN(const std::vector<Value> bindings, reader.list(kube::k_role_binding, ns));
  add_bound_accounts(bindings, coder_ns, coder);
  TM_TRY(read_rights(reader, ns, coder, builders));
  std::set<std::string> names;
  for (const Value& binding : bindings) {
    if (binds_coder(binding, coder)) names.insert(binding.text_at("/roleRef/name"));
  }
  builders.roles.assign(names.begin(), names.end());
  return {};
}

}  // namespace

ClaimRole claim_role(const Value& object) {
  ClaimRole role;
  const kube::Identity identity = kube::identity_of(object);
  role.ns = identity.ns, role.name = identity.name;
  role.uid = identity.uid, role.resource_version = identity.resource_version;
  if (const Value* rules = object.find("rules")) role.grants = grants_claim_rights(*rules);
  const auto owners = freeze_owners(object);
  role.damaged = !owners;
  role.frozen = !kube::annotation_of(object, k_frozen_rules_annotation).empty() || role.damaged ||
                !owners->empty() || kube::label_of(object, k_frozen_label) == k_frozen_label_value;
  for (const std::string& claim : owners.value_or(std::vector<std::string>())) {
    FreezeOwner owner;
    owner.claim = claim;
    owner.asks = is_asked_for(object, claim);
    role.owners.push_back(std::move(owner));
  }
  role.document = object;
  return role;
}

Result<std::vector<Value>> read_frozen_roles(const kube::Reader& reader, const std::string& ns) {
  kube::ListOptions list;
  list.label_selector = fmt::format("{}={}", k_frozen_label, k_frozen_label_value);
  return reader.list(kube::k_role, ns, list);
}

Result<Builders> read_builders(const kube::Reader& reader, const std::string& coder_ns,
                               const std::string& ns) {
  Builders builders;
  const Result<void> filled = fill(reader, coder_ns, ns, builders);
  if (filled.ok()) return builders;
  if (filled.error().kind != Kind::auth) return filled.error();
  builders.unknown = filled.error().what;
  return builders;
}

Result<BuildFreeze> read_build_freeze(const kube::Reader& reader, const std::string& coder_ns,
                                      const std::string& ns, const std::string& claim, RunWatch& runs,
                                      const FreezeSources& sources) {
  BuildFreeze freeze;
  const Result<void> read = read_all({reader, ns, ns + "/" + claim, runs, sources}, coder_ns, freeze);
  if (read.ok()) return freeze;
  if (read.error().kind != Kind::auth) return read.error();
  freeze.unknown = read.error().what;
  return freeze;
}

}  // namespace truenas::workflow
