#pragma once
// Homes of workspaces on a fake cluster in a program: with files, and with movers that copy and compare the
// datasets behind the claims that they mount.

#include "tests/fakes/fake_cluster.h"

namespace truenas::fakes {

// Files in every claim of namespace coder-workspaces; a node that a mover can run on, and what its Pod does.
void fill_homes(FakeCluster& cluster);
// {"claim": {"class", "phase", "files": {"path": "content"}}}
json::Value describe_homes(FakeCluster& cluster);

}  // namespace truenas::fakes
