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
// Another session to the same server, for a lock: its renewals must not queue behind the first session's slow
// replies, and each fails soon enough for the loss of the lock to be seen before it ends.
Result<std::unique_ptr<kube::Session>> connect_for_lock(const Connection& connection);

}  // namespace truenas::plugin
