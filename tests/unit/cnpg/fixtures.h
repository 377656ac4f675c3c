#pragma once
// The fixture clusters of this folder, and the small edits that make variants of them.

#include <string>
#include <string_view>

#include "lib/cnpg/cluster_reader.h"
#include "tests/unit/yaml.h"

namespace truenas::cnpg {

// fixtures/<name>.yaml; aborts the test when it cannot be read.
ClusterDocuments load_documents(std::string_view name);
// parse_cluster of it, with every replica streaming.
ClusterState load_cluster(std::string_view name);
// Parsed; aborts the test when it cannot be.
ClusterState parsed(const ClusterDocuments& documents);
// Marks every replica as streaming without lag.
void stream_all(ClusterState& cluster);
// The document of a list by name.
json::Value& named(std::vector<json::Value>& objects, std::string_view name);
// A file of fixtures/, whole.
std::string read_fixture(std::string_view file);

}  // namespace truenas::cnpg
