#pragma once
// Many workspaces at once in a FakeCluster, as they are and without waiting for them: a claim and its bound
// volume each; every second one runs as a Deployment with a Pod.

#include "tests/fakes/fake_cluster.h"

namespace truenas::fakes {

// In namespace coder-workspaces, on the old class.
void put_fleet(FakeCluster& cluster, int workspaces);
// So many more that are all stopped, each with a dataset that holds its home (fill_homes gives it files).
void put_stopped_homes(FakeCluster& cluster, int workspaces);
// Coder itself in namespace coder, with a Role that lets it delete the claims of namespace coder-workspaces:
// what a move has to take from it. The API server's answers about its rights follow the Role.
void put_coder_rights(FakeCluster& cluster);

}  // namespace truenas::fakes
