#include "lib/cnpg/preflight.h"

#include <doctest/doctest.h>

#include "lib/base/text.h"
#include "tests/unit/cnpg/fixtures.h"

using namespace truenas;
using namespace truenas::cnpg;

namespace {

ClusterShape shape_with(std::string_view pointer, std::string_view value) {
  json::Value cluster = load_documents("healthy").cluster;
  cluster.set_at(pointer, yaml(value));
  return parse_shape(cluster);
}

}  // namespace

TEST_CASE("an ordinary cluster has nothing in the way") {
  const ClusterShape shape = parse_shape(load_documents("healthy").cluster);
  CHECK_FALSE(shape.fenced);
  CHECK_FALSE(shape.hibernated);
  CHECK_FALSE(shape.maintenance_window);
  CHECK_FALSE(shape.replica_cluster);
  CHECK_FALSE(shape.supervised);
  CHECK_FALSE(shape.reconciliation_disabled);
  CHECK_FALSE(shape.required_anti_affinity);
  CHECK(shape.synchronous.required == 0);
  CHECK_FALSE(shape.has_pod_security_context);
  CHECK(shape.has_fs_group);
  CHECK(shape.fs_group == 26);
  CHECK_FALSE(shape.wal_storage);
  CHECK(shape.owners.empty());
}

TEST_CASE("what stands in the way is noticed") {
  CHECK(shape_with("/metadata/annotations", "{cnpg.io/fencedInstances: '[\"*\"]'}").fenced);
  CHECK_FALSE(shape_with("/metadata/annotations", "{cnpg.io/fencedInstances: '[]'}").fenced);
  CHECK(shape_with("/metadata/annotations", "{cnpg.io/hibernation: 'on'}").hibernated);
  CHECK_FALSE(shape_with("/metadata/annotations", "{cnpg.io/hibernation: 'off'}").hibernated);
  CHECK(shape_with("/status/conditions", "[{type: cnpg.io/hibernation, status: 'True'}]").hibernated);
  CHECK(shape_with("/spec/nodeMaintenanceWindow", "{inProgress: true}").maintenance_window);
  CHECK(shape_with("/spec/replica", "{enabled: true, source: a}").replica_cluster);
  CHECK_FALSE(shape_with("/spec/replica", "{enabled: false, source: a}").replica_cluster);
  CHECK(shape_with("/spec/replica", "{primary: other, source: a}").replica_cluster);
  CHECK_FALSE(shape_with("/spec/replica", "{primary: coder-postgres, source: a}").replica_cluster);
  CHECK_FALSE(shape_with("/spec/replica", "{primary: here, self: here, source: a}").replica_cluster);
  CHECK(shape_with("/spec/primaryUpdateStrategy", "supervised").supervised);
  CHECK(
      shape_with("/metadata/annotations", "{cnpg.io/reconciliationLoop: disabled}").reconciliation_disabled);
  CHECK(shape_with("/spec/affinity", "{podAntiAffinityType: required}").required_anti_affinity);
  CHECK_FALSE(shape_with("/spec/affinity", "{podAntiAffinityType: required, enablePodAntiAffinity: false}")
                  .required_anti_affinity);
  CHECK(shape_with("/spec/backup", "{volumeSnapshot: {className: old}}").snapshot_backups_configured);
  CHECK(shape_with("/spec/backup", "{barmanObjectStore: {}}").wal_archiving);
  CHECK(shape_with("/spec/plugins", "[{name: barman-cloud, isWALArchiver: true}]").wal_archiving);
  CHECK_FALSE(shape_with("/spec/plugins", "[{name: barman-cloud, isWALArchiver: true, enabled: false}]")
                  .wal_archiving);
}

TEST_CASE("synchronous replication: how many must acknowledge, and whether commits wait") {
  const SynchronousFacts legacy = shape_with("/spec/minSyncReplicas", "1").synchronous;
  CHECK(legacy.required == 1);
  CHECK(legacy.blocks);
  CHECK(legacy.configured_by == "spec.minSyncReplicas");
  const SynchronousFacts modern =
      shape_with("/spec/postgresql", "{synchronous: {method: any, number: 2}}").synchronous;
  CHECK(modern.required == 2);
  CHECK(modern.blocks);
  CHECK_FALSE(
      shape_with("/spec/postgresql", "{synchronous: {method: any, number: 1, dataDurability: preferred}}")
          .synchronous.blocks);
}

TEST_CASE("the security context that instances will get") {
  const ClusterShape without = shape_with("/spec/podSecurityContext", "{runAsUser: 26, runAsNonRoot: true}");
  CHECK(without.has_pod_security_context);
  CHECK_FALSE(without.has_fs_group);
  const ClusterShape with = shape_with("/spec/podSecurityContext", "{fsGroup: 1000}");
  CHECK(with.has_fs_group);
  CHECK(with.fs_group == 1000);
  CHECK(with.uid == 26);
}

TEST_CASE("backups: any phase that is not final counts as running") {
  struct Row {
    const char* phase;
    bool running;
  };
  for (const Row& row : {Row{"", true},
                         {"pending", true},
                         {"started", true},
                         {"running", true},
                         {"finalizing", true},
                         {"completed", false},
                         {"failed", false},
                         {"some later operator's word", true}}) {
    json::Value backup =
        yaml("{metadata: {name: b}, spec: {cluster: {name: coder-postgres}, method: volumeSnapshot}}");
    backup.set_at("/status/phase", row.phase);
    CAPTURE(row.phase);
    const auto facts = parse_backup(backup, "coder-postgres");
    REQUIRE(facts.has_value());
    CHECK(facts->running == row.running);
    CHECK(facts->volume_snapshot);
  }
  CHECK_FALSE(parse_backup(yaml("{metadata: {name: b}, spec: {cluster: {name: other}}}"), "coder-postgres"));
  const auto snapshots = parse_backup(yaml("{metadata: {name: b}, spec: {cluster: {name: c}}, status: "
                                           "{method: volumeSnapshot, phase: completed, "
                                           "snapshotBackupStatus: {elements: [{name: s1}, {name: s2}]}}}"),
                                      "c");
  CHECK(join(snapshots->snapshots, ",") == "s1,s2");
}

TEST_CASE("operator versions") {
  CHECK(version_of_image("ghcr.io/cloudnative-pg/cloudnative-pg:1.30.0") == "1.30.0");
  CHECK(version_of_image("registry:5000/cnpg:v1.28.1@sha256:00") == "1.28.1");
  CHECK_FALSE(version_of_image("registry:5000/cnpg").has_value());
  CHECK_FALSE(version_of_image("cnpg:latest").has_value());
  CHECK_FALSE(version_of_image("cnpg@sha256:00").has_value());
  CHECK(version_less("1.9.2", "1.30.0"));
  CHECK(version_less("1.27.3", "1.28"));
  CHECK_FALSE(version_less("1.28.0", "1.28"));
  CHECK_FALSE(version_less("1.28.0-rc1", "1.28"));
  CHECK_FALSE(version_less("v1.30.0", "1.28"));
}

TEST_CASE("a database that does not answer makes the search fail: its unlogged tables are unknown") {
  SqlRunner runner;
  std::vector<std::string> asked;
  runner.look = [&](const SqlCall& call) -> Result<SqlOutcome> {
    if (call.database == "postgres" && contains(call.sql, "pg_database")) {
      return SqlOutcome{{{"coder", "1", "100", "15.18"},
                         {"postgres", "1", "10", "15.18"},
                         {"template0", "0", "5", "15.18"}}};
    }
    asked.push_back(call.database);
    if (call.database == "coder") return SqlOutcome{{{"public.\"Odd, name\"", "0", "8192"}}};
    return SqlOutcome{{}, true, "57P03", "starting up"};
  };
  const auto failed = read_database_facts(runner, "coder-postgres-1");
  REQUIRE_FALSE(failed.ok());
  CHECK(failed.error().kind == Kind::unavailable);
  CHECK(join(asked, ",") == "coder,postgres");
  const auto look = runner.look;
  runner.look = [look](const SqlCall& call) -> Result<SqlOutcome> {
    return call.database == "postgres" && contains(call.sql, "pg_class") ? SqlOutcome{} : look(call);
  };
  const auto facts = read_database_facts(runner, "coder-postgres-1");
  REQUIRE(facts.ok());
  CHECK(facts->server_version == "15.18");
  CHECK(facts->databases.size() == 3);
  CHECK_FALSE(facts->databases[2].connectable);
  REQUIRE(facts->unlogged.size() == 1);
  CHECK(facts->unlogged[0].name == "public.\"Odd, name\"");
  CHECK(facts->unlogged[0].bytes == 8192);
}
