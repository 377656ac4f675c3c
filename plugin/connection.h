#pragma once
// kubectl's connection flags (P4) as a flag group, and the session that they ask for.

#include <memory>

#include "lib/kube/kubeconfig.h"
#include "plugin/arguments.h"

namespace truenas::plugin {

struct Connection {
  kube::ClientConfig config;
  std::unique_ptr<kube::Session> session;
};

// --kubeconfig, --context, … -v; without --namespace, which each command has its own way with.
FlagGroup connection_flags();
// The flags as given; Kind::usage for a bad -v.
Result<kube::ConnectionFlags> read_connection_flags(const Arguments& arguments);
// Resolves the kubeconfig and makes the session; nothing is sent yet. Log lines go to stderr.
Result<Connection> connect(const Arguments& arguments);
// Another session to the same server, for what must not queue behind the first (renewing a lock).
// `request_timeout` is the longest that one of its requests may take.
Result<std::unique_ptr<kube::Session>> connect_again(const Connection& connection,
                                                     Milliseconds request_timeout);

}  // namespace truenas::plugin
