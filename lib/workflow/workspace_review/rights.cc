#include "lib/workflow/workspace_review/rights.h"

#include <fmt/format.h>

#include <set>

#include "lib/kube/account_access.h"
#include "lib/kube/resource.h"

namespace truenas::workflow {
namespace {

// By name and not by part-of: workspaces' own workloads carry part-of=coder too.
constexpr const char* k_coder_selector = "app.kubernetes.io/name in (coder,coder-provisioner)";
// A namespace a workspace is one question each; above this many the answer for all of them must do.
constexpr std::size_t k_most_namespaces = 20;

bool is_workspace_proxy(const json::Value& deployment) {
  for (const json::Value& container : deployment.items_at("/spec/template/spec/containers")) {
    for (const char* list : {"/args", "/command"}) {
      for (const json::Value& word : container.items_at(list)) {
        if (word.text() == "wsproxy") return true;
      }
    }
  }
  return false;
}

Result<std::set<std::string>> accounts_of_coder(const kube::Reader& reader, const std::string& coder_ns) {
  kube::ListOptions list;
  list.label_selector = k_coder_selector;
  list.wanted = {"/metadata/name", "/spec/template/spec/serviceAccountName",
                 "/spec/template/spec/containers/*/args", "/spec/template/spec/containers/*/command"};
  TM_TRY_ASSIGN(const std::vector<json::Value> deployments, reader.list(kube::k_deployment, coder_ns, list));
  std::set<std::string> accounts;
  for (const json::Value& deployment : deployments) {
    if (is_workspace_proxy(deployment)) continue;
    const std::string& account = deployment.text_at("/spec/template/spec/serviceAccountName");
    accounts.insert(account.empty() ? "default" : account);
  }
  return accounts;
}

Result<DeleteRight> ask(const kube::Reader& reader, DeleteRight right) {
  kube::AccessQuery query;
  query.verb = "delete";
  query.resource = kube::k_claim.plural;
  query.ns = right.ns;
  const auto allowed = kube::can_service_account(reader, right.account_ns, right.account, query);
  if (allowed.ok()) {
    right.allowed = *allowed;
  } else if (allowed.error().kind == Kind::auth) {
    right.unknown = allowed.error().what;
  } else {
    return allowed.error();
  }
  return right;
}

}  // namespace

Result<void> read_delete_rights(const kube::Reader& reader, const std::string& coder_ns,
                                WorkspaceSite& site) {
  std::set<std::string> namespaces;
  for (const SiteClaim& claim : site.claims) namespaces.insert(claim.live.ns);
  if (namespaces.empty()) {
    site.no_delete_rights = "there is no claim to delete";
    return {};
  }
  const auto accounts = accounts_of_coder(reader, coder_ns);
  if (!accounts.ok()) {
    if (accounts.error().kind != Kind::auth) return accounts.error();
    site.no_delete_rights = accounts.error().what;
    return {};
  }
  if (accounts->empty()) {
    site.no_delete_rights =
        fmt::format("namespace {} has no Deployment of Coder (--coder-namespace)", coder_ns);
    return {};
  }
  for (const std::string& account : *accounts) {
    TM_TRY_ASSIGN(DeleteRight everywhere, ask(reader, {coder_ns, account, "", std::nullopt, ""}));
    const bool settled = !everywhere.allowed || *everywhere.allowed;
    if (settled || namespaces.size() > k_most_namespaces) {
      if (!settled) {
        everywhere.allowed = std::nullopt;
        everywhere.unknown =
            fmt::format("{} namespaces are too many to ask for one by one", namespaces.size());
      }
      site.delete_rights.push_back(everywhere);
      continue;
    }
    for (const std::string& ns : namespaces) {
      TM_TRY_ASSIGN(DeleteRight right, ask(reader, {coder_ns, account, ns, std::nullopt, ""}));
      site.delete_rights.push_back(right);
    }
  }
  return {};
}

}  // namespace truenas::workflow
