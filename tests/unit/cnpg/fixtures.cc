#include "tests/unit/cnpg/fixtures.h"

#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

namespace truenas::cnpg {

std::string read_fixture(std::string_view file) {
  std::ifstream stream(std::string(TM_CNPG_FIXTURES "/") + std::string(file));
  REQUIRE_MESSAGE(stream.good(), "no fixture ", std::string(file));
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

ClusterDocuments load_documents(std::string_view name) {
  const json::Value root = yaml(read_fixture(std::string(name) + ".yaml"));
  ClusterDocuments documents;
  REQUIRE(root.find("cluster") != nullptr);
  documents.cluster = *root.find("cluster");
  documents.claims = root.items_at("/claims");
  documents.volumes = root.items_at("/volumes");
  documents.pods = root.items_at("/pods");
  documents.jobs = root.items_at("/jobs");
  return documents;
}

ClusterState parsed(const ClusterDocuments& documents) {
  auto cluster = parse_cluster(documents);
  REQUIRE_MESSAGE(cluster.ok(), cluster.error().what);
  return *cluster;
}

void stream_all(ClusterState& cluster) {
  cluster.replication.emplace();
  for (const std::string& instance : cluster.instance_names) {
    if (instance != cluster.current_primary) (*cluster.replication)[instance] = {"streaming", 0};
  }
}

ClusterState load_cluster(std::string_view name) {
  ClusterState cluster = parsed(load_documents(name));
  stream_all(cluster);
  return cluster;
}

json::Value& named(std::vector<json::Value>& objects, std::string_view name) {
  for (json::Value& object : objects) {
    if (object.text_at("/metadata/name") == name) return object;
  }
  FAIL("no object named ", std::string(name));
  return objects.front();
}

}  // namespace truenas::cnpg
