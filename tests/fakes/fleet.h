#pragma once
// Many workspaces at once in a FakeCluster, as they are and without waiting for them: a claim and its bound
// volume each; every second one runs as a Deployment with a Pod.

#include "tests/fakes/fake_cluster.h"

namespace truenas::fakes {

// In namespace coder-workspaces, on the old class.
void put_fleet(FakeCluster& cluster, int workspaces);

}  // namespace truenas::fakes
