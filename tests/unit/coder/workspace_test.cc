// Whose a claim is. What would lose data: taking a user's home for a prebuild, or for somebody else's.

#include "lib/coder/workspace.h"

#include <doctest/doctest.h>

#include "lib/kube/resource.h"
#include "tests/unit/yaml.h"

using namespace truenas;
using coder::FoundBy;

namespace {

const std::string k_id = "0a7c1f52-7d3e-4c8e-9f61-2b9d6a3e5c01";
const std::string k_other = "1b8d2063-8e4f-4d9f-a072-3cae7b4f6d02";

json::Value claim(const std::string& name, const std::string& labels = "{}") {
  return yaml("{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: " + name +
              ", namespace: coder-workspaces, labels: " + labels + "}}");
}

json::Value pod_spec(const std::string& text) {
  return yaml(text);
}

}  // namespace

TEST_CASE("today's labels say everything") {
  const auto object =
      claim("coder-" + k_id + "-home", "{com.coder.resource: 'true', com.coder.workspace.id: " + k_id +
                                           ", com.coder.workspace.name: backend, com.coder.user.id: u1, "
                                           "com.coder.user.username: alice}");
  CHECK(coder::recognise_claim(object) == FoundBy::label);
  const auto workspace = coder::read_workspace_of_claim(object);
  CHECK(workspace.id == k_id);
  CHECK(workspace.name == "backend");
  CHECK(workspace.owner == "alice");
  CHECK(workspace.owner_id == "u1");
  CHECK(workspace.labelled);
  CHECK(workspace.title() == "alice/backend");
}

TEST_CASE("a label is enough, whatever the claim is called") {
  CHECK(coder::recognise_claim(claim("data", "{com.coder.resource: 'true'}")) == FoundBy::label);
  CHECK(coder::recognise_claim(claim("data", "{com.coder.workspace.id: x}")) == FoundBy::label);
  CHECK(coder::recognise_claim(claim("data", "{coder.workspace_id: x}")) == FoundBy::older_label);
  CHECK(coder::recognise_claim(claim("data", "{com.coder.resource: 'false'}")) == std::nullopt);
  CHECK(coder::recognise_claim(claim("data")) == std::nullopt);
}

TEST_CASE("the retired template's labels are read where today's are silent") {
  const auto object = claim("coder-" + k_id, "{coder.owner: dave, coder.workspace_id: " + k_id +
                                                 ", coder.workspace_name_at_creation: research}");
  CHECK(coder::recognise_claim(object) == FoundBy::older_label);
  const auto workspace = coder::read_workspace_of_claim(object);
  CHECK(workspace.title() == "dave/research");
  CHECK_FALSE(workspace.labelled);
}

TEST_CASE("the name fills up what labels leave open, and never overrules them") {
  const auto named = coder::read_workspace_of_claim(claim("coder-carol-docker-home"));
  CHECK(named.title() == "carol/docker");
  CHECK_FALSE(named.labelled);
  const auto renamed =
      coder::read_workspace_of_claim(claim("coder-carol-docker-home", "{com.coder.workspace.name: renamed}"));
  CHECK(renamed.title() == "carol/renamed");
  CHECK(coder::read_workspace_of_claim(claim("coder-mary-ann-dev-home")).title() == "mary-ann-dev");
  CHECK(coder::read_workspace_of_claim(claim("erin-erin-home")).title() == "erin/?");
  CHECK(coder::read_workspace_of_claim(claim("coder-" + k_id)).title() == k_id);
}

TEST_CASE("labels and a name of different workspaces are a contradiction") {
  CHECK(coder::contradicts_itself(
      claim("coder-" + k_id + "-home", "{com.coder.workspace.id: " + k_other + "}")));
  CHECK_FALSE(
      coder::contradicts_itself(claim("coder-" + k_id + "-home", "{com.coder.workspace.id: " + k_id + "}")));
  CHECK_FALSE(
      coder::contradicts_itself(claim("coder-carol-docker-home", "{com.coder.workspace.id: " + k_id + "}")));
}

TEST_CASE("a database's claim is never a workspace's") {
  CHECK(coder::recognise_claim(claim("coder-postgres-1-home", "{cnpg.io/cluster: pg}")) == std::nullopt);
  CHECK(coder::recognise_claim(claim("x", "{cnpg.io/cluster: pg, com.coder.resource: 'true'}")) ==
        std::nullopt);
}

TEST_CASE("a prebuild is known by its owner's name, id, or place in the claim's name") {
  CHECK(
      coder::is_prebuild(coder::read_workspace_of_claim(claim("x", "{com.coder.user.username: prebuilds}"))));
  CHECK(coder::is_prebuild(coder::read_workspace_of_claim(
      claim("x", "{com.coder.user.id: c42fdf75-3097-471c-8c33-fb52454d81c0}"))));
  CHECK(coder::is_prebuild(coder::read_workspace_of_claim(claim("x", "{coder.owner: prebuilds}"))));
  CHECK(coder::is_prebuild(coder::read_workspace_of_claim(claim("coder-prebuilds-x-home"))));
  CHECK(coder::is_prebuild(coder::read_workspace_of_claim(claim("coder-prebuilds-a-b-home"))));
  // A user may be called nearly so.
  CHECK_FALSE(coder::is_prebuild(
      coder::read_workspace_of_claim(claim("x", "{com.coder.user.username: prebuilds2}"))));
  CHECK_FALSE(coder::is_prebuild(coder::read_workspace_of_claim(claim("coder-prebuildsx-a-b-home"))));
  CHECK_FALSE(coder::is_prebuild(
      coder::read_workspace_of_claim(claim("coder-prebuilds-x-home", "{com.coder.user.username: alice}"))));
}

TEST_CASE("what a Pod mounts is read from its volumes, whatever its labels say") {
  const auto spec = pod_spec(
      "{containers: [{name: dev, env: [{name: HOME, value: /h}, {name: CODER_AGENT_TOKEN, valueFrom: {}}]}], "
      "volumes: "
      "[{name: a, persistentVolumeClaim: {claimName: home}}, {name: b, persistentVolumeClaim: {claimName: "
      "home}}, {name: "
      "c, emptyDir: {}}, {name: d, persistentVolumeClaim: {claimName: cache}}]}");
  CHECK(coder::runs_agent(spec));
  CHECK(kube::mounted_claims(spec) == std::vector<std::string>{"home", "cache"});
  CHECK(coder::runs_agent(pod_spec("{initContainers: [{env: [{name: CODER_AGENT_TOKEN}]}]}")));
  CHECK_FALSE(coder::runs_agent(pod_spec("{containers: [{env: [{name: CODER_AGENT_TOKENS}]}]}")));
  CHECK_FALSE(coder::runs_agent(pod_spec("{containers: [{args: [CODER_AGENT_TOKEN]}]}")));
  CHECK(kube::mounted_claims(pod_spec("{volumes: 7}")).empty());
}
