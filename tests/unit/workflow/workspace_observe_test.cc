// The review as it reads a cluster: which claims it finds and by what, what it refuses to take for absent,
// and how many requests it makes.

#include <fmt/format.h>

#include "tests/unit/workflow/workspace_cluster.h"

using namespace truenas;
using namespace truenas::workflow;

namespace {

const std::string k_id = "0a7c1f52-7d3e-4c8e-9f61-2b9d6a3e5c01";

using Cluster = WorkspaceCluster;
using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("claims are found by label, by name, and by the agent that mounts them") {
  Cluster site;
  site.claim("a-labelled",
             "{com.coder.resource: 'true', com.coder.workspace.name: dev, com.coder.user.username: ada}");
  site.claim("b-older", "{coder.workspace_id: " + k_id + "}");
  site.claim("coder-carol-docker-home");
  site.claim("d-mounted");
  site.claim("e-template");
  site.claim("f-statefulset");
  site.claim("g-nobody");
  site.claim("h-database", "{cnpg.io/cluster: pg}");
  site.claim("i-no-agent");
  site.pod("coder-" + k_id, "d-mounted", "Running");
  site.pod("x", "h-database");
  site.pod("y", "i-no-agent", "Running", "HOME");
  site.workload("Deployment", "coder-x", "e-template", "replicas: 0, ",
                "{com.coder.workspace.name: tmpl, com.coder.user.username: eve}");
  site.workload("StatefulSet", "coder-y", "f-statefulset", "");
  const auto review = site.review();
  std::map<std::string, std::string> by;
  for (const auto& row : review.rows) by[row.claim.live.name] = coder::found_by_name(row.claim.found_by);
  CHECK(by == std::map<std::string, std::string>{{"a-labelled", "label"},
                                                 {"b-older", "older label"},
                                                 {"coder-carol-docker-home", "name"},
                                                 {"d-mounted", "agent's Pod"},
                                                 {"e-template", "agent's Pod"},
                                                 {"f-statefulset", "agent's Pod"}});
  REQUIRE(review.rows.size() == 6);
  CHECK(review.rows[0].claim.workspace.title() == "ada/dev");
  CHECK(review.rows[3].claim.workspace.id == k_id);
  CHECK(review.rows[3].verdict == WorkspaceVerdict::running);
  CHECK(review.rows[4].claim.workspace.title() == "eve/tmpl");
  CHECK(review.rows[4].verdict == WorkspaceVerdict::ready);
  // A StatefulSet that does not say how many wants one.
  CHECK(review.rows[5].verdict == WorkspaceVerdict::running);
  CHECK(review.rows[0].driver == "truenas-nfs");
  CHECK(review.rows[0].reclaim_policy == "Delete");
}

TEST_CASE("a Pod under a Deployment without replicas, and one that nobody reaches, are seen") {
  Cluster site;
  site.claim("coder-" + k_id);
  site.workload("Deployment", "coder-" + k_id, "coder-" + k_id, "replicas: 0, ");
  CHECK(site.review().rows.at(0).verdict == WorkspaceVerdict::ready);
  const std::string owner = ", ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: coder-" +
                            k_id + "-5d9f8, uid: u, controller: true}]";
  site.pod("coder-" + k_id + "-5d9f8-x", "coder-" + k_id, "Unknown", "CODER_AGENT_TOKEN", owner);
  const auto row = site.review().rows.at(0);
  CHECK(row.verdict == WorkspaceVerdict::running);
  CHECK(row.why == "pod coder-" + k_id + "-5d9f8-x (Unknown on node1)");
  // The Pod's and the Deployment's are one party.
  CHECK(row.uses.size() == 2);
}

TEST_CASE("a prebuild that somebody has claimed is a home, though the claim's labels are the prebuild's") {
  Cluster site;
  const std::string labels =
      "{com.coder.resource: 'true', com.coder.user.username: prebuilds, com.coder.user.id: "
      "c42fdf75-3097-471c-8c33-fb52454d81c0, com.coder.workspace.name: prebuilt-1}";
  site.claim("coder-" + k_id + "-home", labels);
  CHECK(site.review().rows.at(0).verdict == WorkspaceVerdict::skipped);
  site.pod("p", "coder-" + k_id + "-home", "Running", "CODER_AGENT_TOKEN",
           ", labels: {com.coder.user.username: alice, com.coder.workspace.name: mine}");
  const auto row = site.review().rows.at(0);
  CHECK(row.verdict == WorkspaceVerdict::running);
  CHECK(row.claim.workspace.title() == "alice/mine");
  CHECK(row.claim.workspace.id == k_id);
}

TEST_CASE("names, a pattern and a selector narrow what is shown") {
  Cluster site;
  site.claim("coder-carol-docker-home", "{team: a}");
  site.claim("coder-dave-dev-home", "{team: b}");
  site.claim("oddly-called");
  CHECK(site.found() == Names{"coder-carol-docker-home", "coder-dave-dev-home"});
  site.options.selector = "team=b";
  CHECK(site.found() == Names{"coder-dave-dev-home"});
  site.options.selector = "";
  for (const std::string name : {"coder-carol-docker-home", "carol/docker", "docker", "carol-docker"}) {
    CAPTURE(name);
    site.options.names = {name};
    CHECK(site.found() == Names{"coder-carol-docker-home"});
  }
  // What is named, or matched, counts as a workspace's whatever it is called.
  site.options.names = {"oddly-called", "dev"};
  CHECK(site.found() == Names{"coder-dave-dev-home", "oddly-called"});
  site.options.names.clear();
  site.options.name_pattern = coder::NamePattern::compile("^odd").value();
  CHECK(site.found() == Names{"oddly-called"});
}

TEST_CASE("a name that fits nothing is an error, with the nearest one") {
  Cluster site;
  site.claim("coder-carol-docker-home");
  site.options.names = {"carol/dokcer"};
  const auto observed = site.observe();
  REQUIRE_FALSE(observed.ok());
  CHECK(observed.error().kind == Kind::not_found);
  CHECK(observed.error().hints.at(0) == "did you mean carol/docker?");
}

TEST_CASE("a list that may not be read is an error, whichever it is") {
  const std::vector<fakes::Denial> denials = {{"list", "", "persistentvolumeclaims", "", ""},
                                              {"list", "", "pods", "", ""},
                                              {"list", "apps", "deployments", "coder-workspaces", ""},
                                              {"list", "apps", "statefulsets", "", ""},
                                              {"list", "", "persistentvolumes", "", ""},
                                              {"list", "storage.k8s.io", "volumeattachments", "", ""},
                                              {"list", "storage.k8s.io", "storageclasses", "", ""}};
  for (const fakes::Denial& denial : denials) {
    CAPTURE(denial.plural);
    Cluster site;
    site.claim("coder-carol-docker-home");
    site.cluster.api.denied = {denial};
    const auto observed = site.observe();
    REQUIRE_FALSE(observed.ok());
    CHECK(observed.error().kind == Kind::auth);
  }
}

TEST_CASE("CK10: what Coder may delete is asked for, and unknown where it may not be") {
  Cluster site;
  site.claim("coder-carol-docker-home");
  const auto put_coder = [&](const std::string& name, const std::string& args) {
    site.cluster.put(yaml(
        "{apiVersion: apps/v1, kind: Deployment, metadata: {name: " + name +
        ", namespace: coder, labels: {app.kubernetes.io/name: coder}}, spec: {replicas: 1, template: {spec: "
        "{serviceAccountName: " +
        name + ", containers: [{name: coder, args: " + args + "}]}}}}"));
  };
  CHECK(site.review().unchecked.at(0).why.find("namespace coder has no Deployment of Coder") !=
        std::string::npos);
  put_coder("coder", "[server]");
  put_coder("proxy", "[wsproxy, server]");
  auto found = of_check(site.review(), "CK10");
  REQUIRE(found.size() == 1);
  CHECK(found[0].subject == "serviceaccount coder/coder");
  CHECK(found[0].consequence.find("may delete claims in any namespace") == 0);
  site.cluster.api.denied_to_accounts = {{"delete", "", "persistentvolumeclaims", "", ""}};
  CHECK(of_check(site.review(), "CK10").empty());
  CHECK(site.review().unchecked.at(0).id == "CK9");
  site.cluster.api.denied = {{"create", "authorization.k8s.io", "subjectaccessreviews", "", ""}};
  CHECK(of_check(site.review(), "CK10").empty());
  CHECK(site.review().unchecked.at(0).why.find("is not known: ") != std::string::npos);
  site.cluster.api.denied = {{"list", "apps", "deployments", "coder", ""}};
  CHECK(site.review().unchecked.at(0).id == "CK10");
}

TEST_CASE("a volume that is attached without a Pod keeps the home from being ready") {
  Cluster site;
  site.claim("coder-carol-docker-home");
  site.cluster.put(
      yaml("{apiVersion: storage.k8s.io/v1, kind: VolumeAttachment, metadata: {name: va}, spec: {attacher: "
           "truenas-nfs, nodeName: node3, source: {persistentVolumeName: "
           "pv-coder-workspaces-coder-carol-docker-home}}, status: {attached: true}}"));
  CHECK(site.review().rows.at(0).why == "its volume is still attached to node node3");
}

TEST_CASE("the same names in two namespaces are two homes") {
  Cluster site;
  site.claim("coder-carol-docker-home");
  site.claim("coder-carol-docker-home", "{}", "coder");
  site.pod("p", "coder-carol-docker-home");
  site.options.namespaces.clear();
  const auto review = site.review();
  REQUIRE(review.rows.size() == 2);
  CHECK(review.rows[0].claim.live.ns == "coder");
  CHECK(review.rows[0].verdict == WorkspaceVerdict::ready);
  CHECK(review.rows[1].verdict == WorkspaceVerdict::running);
}

TEST_CASE("the number of requests does not grow with the number of workspaces") {
  Cluster site;
  const auto requests = [&] {
    const std::size_t before = site.cluster.requests();
    CHECK(site.observe().ok());
    return site.cluster.requests() - before;
  };
  site.claim("coder-user-0-home");
  const std::size_t for_one = requests();
  for (int i = 1; i < 300; ++i) {
    site.claim(fmt::format("coder-user-{}-home", i));
    site.pod(fmt::format("pod-{}", i), fmt::format("coder-user-{}-home", i));
  }
  CHECK(requests() == for_one);
  CHECK(for_one <= 9);
}
