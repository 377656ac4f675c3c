// What Coder may do with claims, as the API server says.

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "lib/kube/account_access.h"
#include "lib/workflow/build_freeze.h"

namespace truenas::workflow {
namespace {

using json::Value;

// By name and not by part-of: workspaces' own workloads carry part-of=coder too.
constexpr const char* k_coder_selector = "app.kubernetes.io/name in (coder,coder-provisioner)";
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

struct Coder {
  std::set<std::string> accounts;
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
    coder.accounts.insert(account.empty() ? "default" : account);
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

Result<void> read_rights(const kube::Reader& reader, const std::string& coder_ns, const std::string& ns,
                         const Coder& coder, BuildFreeze& freeze) {
  for (const std::string& account : coder.accounts) {
    for (const char* verb : k_verbs) {
      kube::AccessQuery query;
      query.verb = verb;
      query.resource = kube::k_claim.plural;
      query.ns = ns;
      TM_TRY_ASSIGN(const bool may, kube::can_service_account(reader, coder_ns, account, query));
      if (!may) continue;
      freeze.able.push_back(
          fmt::format("system:serviceaccount:{}:{} may {} persistentvolumeclaims in namespace {}", coder_ns,
                      account, verb, ns));
    }
  }
  return {};
}

bool binds_coder(const Value& binding, const std::string& coder_ns, const Coder& coder) {
  const auto& subjects = binding.items_at("/subjects");
  return binding.text_at("/roleRef/kind") == "Role" &&
         std::any_of(subjects.begin(), subjects.end(), [&](const Value& subject) {
           return subject.text_at("/kind") == "ServiceAccount" && subject.text_at("/namespace") == coder_ns &&
                  coder.accounts.contains(subject.text_at("/name"));
         });
}

// The freeze of a claim whose name is absent must outlive other claims' runs.
Result<bool> is_absent(const kube::Reader& reader, const std::string& full_name) {
  const std::size_t slash = full_name.find('/');
  if (slash == std::string::npos) return false;
  TM_TRY_ASSIGN(const auto claim,
                reader.find(kube::k_claim, full_name.substr(0, slash), full_name.substr(slash + 1)));
  return !claim || claim->text_at("/status/phase") != "Bound" ||
         !claim->text_at("/metadata/deletionTimestamp").empty();
}

Result<void> read_roles(const kube::Reader& reader, const std::string& coder_ns, const std::string& ns,
                        const std::string& claim, const Coder& coder, BuildFreeze& freeze) {
  TM_TRY_ASSIGN(const std::vector<Value> bindings, reader.list(kube::k_role_binding, ns));
  std::set<std::string> names;
  for (const Value& binding : bindings) {
    if (binds_coder(binding, coder_ns, coder)) names.insert(binding.text_at("/roleRef/name"));
  }
  for (const std::string& name : names) {
    TM_TRY_ASSIGN(const auto found, reader.find(kube::k_role, ns, name));
    if (!found) continue;
    ClaimRole role;
    const kube::Identity identity = kube::identity_of(*found);
    role.ns = ns, role.name = name;
    role.uid = identity.uid, role.resource_version = identity.resource_version;
    if (const Value* rules = found->find("rules")) role.grants = grants_claim_rights(*rules);
    role.frozen = !kube::annotation_of(*found, k_frozen_rules_annotation).empty();
    role.frozen_for = kube::annotation_of(*found, k_frozen_for_annotation);
    if (role.frozen && role.frozen_for != ns + "/" + claim) {
      TM_TRY_ASSIGN(role.needed_there, is_absent(reader, role.frozen_for));
    }
    role.document = *found;
    if (role.grants || role.frozen) freeze.roles.push_back(std::move(role));
  }
  return {};
}

Result<void> read_all(const kube::Reader& reader, const std::string& coder_ns, const std::string& ns,
                      const std::string& claim, BuildFreeze& freeze) {
  TM_TRY_ASSIGN(const Coder coder, read_coder(reader, coder_ns));
  freeze.deployed = coder.deployed;
  freeze.down = coder.deployed && coder.down;
  if (!coder.deployed) return {};
  TM_TRY(read_rights(reader, coder_ns, ns, coder, freeze));
  return read_roles(reader, coder_ns, ns, claim, coder, freeze);
}

}  // namespace

Result<BuildFreeze> read_build_freeze(const kube::Reader& reader, const std::string& coder_ns,
                                      const std::string& ns, const std::string& claim) {
  BuildFreeze freeze;
  const Result<void> read = read_all(reader, coder_ns, ns, claim, freeze);
  if (read.ok()) return freeze;
  if (read.error().kind != Kind::auth) return read.error();
  freeze.unknown = read.error().what;
  return freeze;
}

}  // namespace truenas::workflow
