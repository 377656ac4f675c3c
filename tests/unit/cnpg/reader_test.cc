#include <doctest/doctest.h>

#include <algorithm>

#include "lib/base/text.h"
#include "lib/cnpg/cluster_reader.h"
#include "lib/cnpg/connection.h"
#include "lib/cnpg/permissions.h"
#include "lib/cnpg/preflight.h"
#include "tests/fakes/fake_transport.h"
#include "tests/fakes/site.h"
#include "tests/unit/cnpg/fixtures.h"

using namespace truenas;
using namespace truenas::cnpg;

namespace {

struct Site {
  fakes::FakeCluster cluster;
  fakes::FakeClock clock{cluster};
  std::unique_ptr<kube::Session> session = fakes::make_session(cluster, clock);
  kube::Reader reader{*session};
  explicit Site(const fakes::SiteOptions& options = {}) { REQUIRE(fakes::build_site(cluster, options)); }

  void forbid(std::string part) {
    fakes::Fault fault = fakes::answer(fakes::request_to("GET", std::move(part)), forbidden());
    fault.times = -1;
    cluster.add_fault(std::move(fault));
  }
  static http::Response forbidden() {
    http::Response response;
    response.status = 403;
    response.headers = {{"Content-Type", "application/json"}};
    response.body =
        R"({"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden","message":"not allowed","code":403})";
    return response;
  }
};

}  // namespace

TEST_CASE("a cluster is read through the API with its volumes, and with its volumes only") {
  Site site;
  const auto cluster = read_cluster(site.reader, "coder", "coder-postgres");
  REQUIRE_MESSAGE(cluster.ok(), cluster.error().what);
  CHECK_MESSAGE(unhealthy_because(*cluster).empty(), join(unhealthy_because(*cluster), "; "));
  CHECK(cluster->claims.size() == 3);
  CHECK(cluster->volumes.size() == 3);
  CHECK(cluster->replication->size() == 2);
  for (const auto& [name, volume] : cluster->volumes) CHECK(volume.claim_ns == "coder");
  CHECK(join(*cluster_names(site.reader, "coder"), ",") == "coder-postgres");
  CHECK(cluster_names(site.reader, "coder-workspaces")->empty());
  CHECK(read_cluster(site.reader, "coder", "nothing").error().kind == Kind::not_found);
}

TEST_CASE("what may not be read is an error, never an empty list") {
  for (const char* part :
       {"/persistentvolumes?", "/persistentvolumeclaims", "/pods", "/jobs", "/clusters/"}) {
    Site site;
    site.forbid(part);
    CAPTURE(part);
    const auto cluster = read_cluster(site.reader, "coder", "coder-postgres");
    REQUIRE_FALSE(cluster.ok());
    CHECK(cluster.error().kind == Kind::auth);
  }
}

TEST_CASE("a primary that cannot be asked leaves replication unknown, and says why") {
  Site site;
  site.cluster.exec_fault = fakes::ExecFault::no_status;
  auto cluster = read_cluster(site.reader, "coder", "coder-postgres");
  REQUIRE(cluster.ok());
  CHECK_FALSE(cluster->replication.has_value());
  CHECK_FALSE(cluster->replication_unknown_why.empty());
  CHECK_FALSE(unhealthy_because(*cluster).empty());
  // Output that was cut is no shorter list of replicas.
  site.cluster.exec_fault = fakes::ExecFault::none;
  site.cluster.cnpg.sql = [](const fakes::SqlQuestion& question) -> std::optional<fakes::SqlAnswer> {
    if (!contains(question.sql, "pg_stat_replication")) return std::nullopt;
    return fakes::SqlAnswer{0, "coder-postgres-2,streaming,0\ncoder-postgres-3,strea", ""};
  };
  cluster = read_cluster(site.reader, "coder", "coder-postgres");
  REQUIRE(cluster.ok());
  CHECK_FALSE(cluster->replication.has_value());
  site.cluster.cnpg.sql = [](const fakes::SqlQuestion&) -> std::optional<fakes::SqlAnswer> {
    return fakes::SqlAnswer{2, "", "psql: error: connection refused\n"};
  };
  cluster = read_cluster(site.reader, "coder", "coder-postgres");
  CHECK(contains(cluster->replication_unknown_why, "connection refused"));
}

TEST_CASE("preflight facts: everything that can be asked, and silence kept apart from absence") {
  Site site;
  json::Value backup = yaml(
      "{apiVersion: postgresql.cnpg.io/v1, kind: Backup, metadata: {name: nightly, namespace: coder}, spec: "
      "{cluster: "
      "{name: coder-postgres}}, status: {phase: running}}");
  site.cluster.put(backup);
  site.cluster.cnpg.sql = [](const fakes::SqlQuestion& question) -> std::optional<fakes::SqlAnswer> {
    CHECK(question.is_primary);
    CHECK(question.read_only);
    if (!contains(question.sql, "relpersistence = 'u'")) return std::nullopt;
    return fakes::SqlAnswer{0, question.database == "coder" ? "public.sessions,0,8192\n" : "", ""};
  };
  const auto cluster = read_cluster(site.reader, "coder", "coder-postgres");
  REQUIRE(cluster.ok());
  auto facts = read_preflight_facts(site.reader, *cluster);
  REQUIRE_MESSAGE(facts.ok(), facts.error().what);
  REQUIRE(facts->databases.has_value());
  REQUIRE(facts->databases->unlogged.size() == 1);
  CHECK(facts->databases->unlogged[0].name == "public.sessions");
  REQUIRE(facts->backups.size() == 1);
  CHECK(facts->backups[0].running);
  site.cluster.exec_fault = fakes::ExecFault::no_status;
  facts = read_preflight_facts(site.reader, *cluster);
  REQUIRE(facts.ok());
  CHECK_FALSE(facts->databases.has_value());
  CHECK_FALSE(facts->databases_unknown_why.empty());
  site.forbid("/backups");
  facts = read_preflight_facts(site.reader, *cluster);
  REQUIRE_FALSE(facts.ok());
  CHECK(facts.error().kind == Kind::auth);
}

TEST_CASE("missing rights are told one by one") {
  Site site;
  CHECK(missing_permissions(site.reader, "coder")->empty());
  fakes::Fault no = fakes::answer(
      [](const fakes::Seen& seen) {
        return contains(seen.what.target, "selfsubjectaccessreviews") &&
               contains(seen.what.body, "\"patch\"") && contains(seen.what.body, "persistentvolumes");
      },
      [] {
        http::Response response;
        response.status = 201;
        response.headers = {{"Content-Type", "application/json"}};
        response.body =
            R"({"kind":"SelfSubjectAccessReview","apiVersion":"authorization.k8s.io/v1","status":{"allowed":false}})";
        return response;
      }());
  no.times = -1;
  site.cluster.add_fault(std::move(no));
  const auto missing = missing_permissions(site.reader, "coder");
  REQUIRE_MESSAGE(missing.ok(), missing.error().what);
  REQUIRE(missing->size() == 1);
  CHECK(missing->front() ==
        "cannot patch persistentvolumes (cluster-wide): so that old volumes are kept (Retain)");
}

TEST_CASE("connections: a secret or service that was made again is noticed, and no secret is kept") {
  Site site;
  const auto cluster = read_cluster(site.reader, "coder", "coder-postgres");
  REQUIRE(cluster.ok());
  const auto put = [&](std::string_view text) {
    json::Value object = yaml(text);
    object.set_at("/metadata/namespace", "coder");
    object.set_at("/metadata/ownerReferences",
                  json::Value::array({json::Value::object({{"uid", cluster->uid}, {"controller", true}})}));
    site.cluster.put(object);
  };
  put("{apiVersion: v1, kind: Secret, metadata: {name: coder-postgres-app}, data: {password: c2VjcmV0}}");
  put("{apiVersion: v1, kind: Service, metadata: {name: coder-postgres-rw}, spec: {clusterIP: 10.96.0.9, "
      "ports: "
      "[{port: 5432, protocol: TCP}]}}");
  const auto before = read_connection_facts(site.reader, *cluster);
  REQUIRE_MESSAGE(before.ok(), before.error().what);
  CHECK(before->secret_name == "coder-postgres-app");
  CHECK_FALSE(before->secret_uid.empty());
  REQUIRE(before->services.count("coder-postgres-rw") == 1);
  CHECK(before->services.at("coder-postgres-rw").ports == "5432/TCP");
  CHECK(changed_connections(*before, *before).empty());
  const auto remembered = parse_connection_text(connection_text(*before));
  REQUIRE(remembered.ok());
  CHECK(changed_connections(*remembered, *before).empty());
  CHECK(remembered->services.size() == before->services.size());
  CHECK(remembered->secret_uid == before->secret_uid);
  CHECK(parse_connection_text("{}").error().kind == Kind::format);
  ConnectionFacts after = *before;
  after.secret_uid = "another";
  CHECK(contains(changed_connections(*before, after).at(0), "another password"));
  after = *before;
  after.services["coder-postgres-rw"].cluster_ip = "10.96.0.10";
  CHECK(contains(changed_connections(*before, after).at(0), "10.96.0.10"));
  after.services.erase("coder-postgres-rw");
  CHECK(changed_connections(*before, after).at(0) == "service coder-postgres-rw is gone");
  site.forbid("/secrets");
  CHECK(read_connection_facts(site.reader, *cluster).error().kind == Kind::auth);
}
