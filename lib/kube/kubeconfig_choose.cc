// Choosing context, cluster and user, and laying the flags over them (R1-R3, T4, T5, P4), in the order in
// which client-go looks, so that the same mistake is named first.
#include <fmt/format.h>

#include "lib/base/text.h"
#include "lib/kube/kubeconfig_internal.h"

namespace truenas::kube {
namespace {

// kubectl cannot tell an empty flag from an absent one.
std::string given(const std::optional<std::string>& flag) {
  return flag.value_or("");
}

void replace(std::string& target, const std::optional<std::string>& flag) {
  if (!given(flag).empty()) target = *flag;
}

void replace(Secret& target, const std::optional<std::string>& flag) {
  if (!given(flag).empty()) target = Secret(*flag);
}

Error does_not_exist(std::string_view what, const std::string& name, std::string hint) {
  return make_error(Kind::config, fmt::format("{} {} does not exist", what, quote(name)), {std::move(hint)});
}

// T4, T5.
void lay_cluster_flags(const ConnectionFlags& flags, ClusterStanza& cluster) {
  replace(cluster.server, flags.server);
  if (flags.disable_compression.value_or(false)) cluster.disable_compression = true;
  const bool insecure = flags.insecure_skip_tls_verify.value_or(false);
  if (insecure || !given(flags.certificate_authority).empty()) {
    cluster.insecure_skip_tls_verify = insecure;
    cluster.certificate_authority = given(flags.certificate_authority);
    cluster.certificate_authority_data.clear();
  }
  if (!given(flags.tls_server_name).empty() || !given(flags.server).empty()) {
    cluster.tls_server_name = given(flags.tls_server_name);
  }
}

void lay_impersonation_flags(const ConnectionFlags& flags, UserStanza& user) {
  replace(user.impersonate, flags.as);
  replace(user.impersonate_uid, flags.as_uid);
  if (!flags.as_groups.empty()) user.impersonate_groups = flags.as_groups;
  std::map<std::string, std::vector<std::string>> extra;
  for (const std::string& entry : flags.as_user_extra) {
    const std::size_t equals = entry.find('=');
    if (equals == std::string::npos) continue;  // P4: malformed entries are skipped
    extra[entry.substr(0, equals)].push_back(entry.substr(equals + 1));
  }
  for (auto& [key, values] : extra) user.impersonate_extra[key] = std::move(values);
}

void lay_user_flags(const ConnectionFlags& flags, UserStanza& user) {
  replace(user.token, flags.token);
  // A1: client-go lets a tokenFile of the kubeconfig win over --token; whoever gives a token means it.
  if (!given(flags.token).empty()) user.token_file.clear();
  replace(user.username, flags.username);
  replace(user.password, flags.password);
  if (!given(flags.client_certificate).empty()) {
    user.client_certificate = *flags.client_certificate;
    user.client_certificate_data.clear();
  }
  if (!given(flags.client_key).empty()) {
    user.client_key = *flags.client_key;
    user.client_key_data = Secret();
  }
  lay_impersonation_flags(flags, user);
}

}  // namespace

Result<Choice> choose(const Stanzas& stanzas, const ConnectionFlags& flags) {
  Choice choice;
  choice.context_name = given(flags.context).empty() ? stanzas.current_context : *flags.context;
  const auto context = stanzas.contexts.find(choice.context_name);
  if (context != stanzas.contexts.end()) choice.context = context->second;
  replace(choice.context.cluster, flags.cluster);
  replace(choice.context.user, flags.user);
  choice.cluster_name = choice.context.cluster;
  choice.user_name = choice.context.user;

  const auto user = stanzas.users.find(choice.user_name);
  if (user != stanzas.users.end()) {
    choice.user = user->second;
  } else if (!given(flags.user).empty()) {
    return does_not_exist("auth info", *flags.user, "kubectl config get-users");
  }
  if (context == stanzas.contexts.end() && !choice.context_name.empty()) {
    if (!given(flags.context).empty()) {
      return does_not_exist("context", *flags.context, "kubectl config get-contexts");
    }
    choice.context_missing = true;
  }
  const auto cluster = stanzas.clusters.find(choice.cluster_name);
  if (cluster != stanzas.clusters.end()) {
    choice.cluster = cluster->second;
  } else if (!given(flags.cluster).empty()) {
    return does_not_exist("cluster", *flags.cluster, "kubectl config get-clusters");
  }
  lay_cluster_flags(flags, choice.cluster);
  lay_user_flags(flags, choice.user);
  return choice;
}

}  // namespace truenas::kube
