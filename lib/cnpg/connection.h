#pragma once
// How applications reach a Cluster: its services and the secret with the application's password. Read before
// and after a move, to show that neither has changed. No byte of a secret, and no hash of one, leaves this
// file.

#include <map>
#include <string>
#include <vector>

#include "lib/cnpg/cluster.h"
#include "lib/kube/reader.h"

namespace truenas::cnpg {

struct ServiceFacts {
  std::string uid, cluster_ip, ports;  // ports: "5432/TCP", several joined by ","
  bool operator==(const ServiceFacts&) const = default;
};

struct ConnectionFacts {
  std::string secret_name;  // the application's: spec.bootstrap.initdb.secret or <cluster>-app
  std::string secret_uid, secret_resource_version;  // "" where there is none
  std::vector<std::string> secret_keys;
  std::map<std::string, ServiceFacts> services;  // by name: those the Cluster owns
};

// Kind::auth where they may not be read: unknown is not unchanged.
Result<ConnectionFacts> read_connection_facts(const kube::Reader& reader, const ClusterState& cluster);
// What differs between two readings, one line each; empty: nothing has changed. A secret of another
// resourceVersion was written to since: it is named, for whoever wrote it knows why. Pure.
std::vector<std::string> changed_connections(const ConnectionFacts& before, const ConnectionFacts& after);
// For a journal, so that a run that goes on compares with what the first one saw: names, uids, versions and
// addresses as JSON. Kind::format when the text is none.
std::string connection_text(const ConnectionFacts& facts);
Result<ConnectionFacts> parse_connection_text(const std::string& text);

}  // namespace truenas::cnpg
