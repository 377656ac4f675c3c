#include <fmt/format.h>

#include <charconv>

#include "lib/base/text.h"
#include "lib/cnpg/preflight.h"

namespace truenas::cnpg {
namespace {

using json::Value;

constexpr std::string_view k_databases_query =
    "SELECT datname, datallowconn::int, pg_database_size(oid), current_setting('server_version') "
    "FROM pg_database ORDER BY datname";

// Temporary relations (relpersistence 't') are nobody's data; partitioned parents have no storage.
constexpr std::string_view k_unlogged_query =
    "SELECT format('%I.%I', n.nspname, c.relname), (c.relkind = 'S')::int, pg_total_relation_size(c.oid) "
    "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE c.relpersistence = 'u' AND c.relkind IN ('r', 'm', 'S') ORDER BY 1";

std::int64_t integer(const std::string& text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size() ? number : 0;
}

Result<std::vector<SqlRow>> ask(const SqlRunner& runner, std::string_view primary, std::string_view database,
                                std::string_view sql, std::size_t columns) {
  SqlCall call;
  call.instance = std::string(primary);
  call.database = std::string(database);
  call.sql = std::string(sql);
  TM_TRY_ASSIGN(std::vector<SqlRow> rows, query(runner, call));
  for (const SqlRow& row : rows) {
    if (row.size() == columns) continue;
    return make_error(Kind::format, fmt::format("database {} answered {} columns, expected {}",
                                                quote(database), row.size(), columns));
  }
  return rows;
}

void consider_version(PreflightFacts& facts, std::string_view version, std::string source) {
  if (version.empty()) return;
  if (facts.operator_version && !version_less(*facts.operator_version, version)) return;
  facts.operator_version = std::string(version);
  facts.operator_version_source = std::move(source);
}

// Pods and claims carry the version of the operator that made them; the init container runs its image.
Result<void> find_operator_version(const kube::Reader& reader, const ClusterState& cluster,
                                   PreflightFacts& facts) {
  kube::ListOptions options;
  options.label_selector = "cnpg.io/cluster=" + cluster.name;
  for (const kube::ResourceType* type : {&kube::k_pod, &kube::k_claim}) {
    TM_TRY_ASSIGN(const std::vector<Value> objects, reader.list(*type, cluster.ns, options));
    for (const Value& object : objects) {
      const std::string name = kube::describe(object);
      consider_version(facts, kube::annotation_of(object, "cnpg.io/operatorVersion"),
                       "annotation cnpg.io/operatorVersion of " + name);
      for (const Value& container : object.items_at("/spec/initContainers")) {
        if (container.text_at("/name") != "bootstrap-controller") continue;
        const auto version = version_of_image(container.text_at("/image"));
        if (version) consider_version(facts, *version, "image of container bootstrap-controller of " + name);
      }
    }
  }
  return {};
}

// The operator's own Deployment, where it has one and we may look: a courtesy, so failures are no errors.
void find_operator_deployment(const kube::Reader& reader, PreflightFacts& facts) {
  kube::ListOptions options;
  options.label_selector = "app.kubernetes.io/name=cloudnative-pg";
  const auto deployments = reader.list(kube::k_deployment, "", options);
  if (!deployments) return;
  for (const Value& deployment : *deployments) {
    for (const Value& container : deployment.items_at("/spec/template/spec/containers")) {
      const auto version = version_of_image(container.text_at("/image"));
      if (version) consider_version(facts, *version, "image of " + kube::describe(deployment));
    }
  }
}

Result<void> read_backups(const kube::Reader& reader, const ClusterState& cluster, PreflightFacts& facts) {
  auto backups = reader.list(kube::k_backup, cluster.ns);
  if (!backups) {
    // The API server does not know the kind: then there is no backup either.
    if (backups.error().kind == Kind::not_found) return {};
    return backups.error().in("looking for running backups");
  }
  for (const Value& object : *backups) {
    if (auto backup = parse_backup(object, cluster.name)) facts.backups.push_back(std::move(*backup));
  }
  return {};
}

}  // namespace

Result<DatabaseFacts> read_database_facts(const SqlRunner& runner, std::string_view primary) {
  DatabaseFacts facts;
  TM_TRY_ASSIGN(const std::vector<SqlRow> databases, ask(runner, primary, "postgres", k_databases_query, 4));
  for (const SqlRow& row : databases) {
    facts.databases.push_back({row[0], integer(row[2]), row[1] == "1"});
    facts.server_version = row[3];
  }
  for (const DatabaseSize& database : facts.databases) {
    if (!database.connectable) continue;
    TM_TRY_ASSIGN(const std::vector<SqlRow> relations,
                  ask(runner, primary, database.name, k_unlogged_query, 3));
    for (const SqlRow& row : relations) {
      facts.unlogged.push_back({database.name, row[0], row[1] == "1", integer(row[2])});
    }
  }
  return facts;
}

Result<PreflightFacts> read_preflight_facts(const kube::Reader& reader, const ClusterState& cluster) {
  PreflightFacts facts;
  facts.shape = parse_shape(cluster.object);
  TM_TRY(read_backups(reader, cluster, facts));
  TM_TRY(find_operator_version(reader, cluster, facts));
  find_operator_deployment(reader, facts);
  const InstancePod* primary = find_pod(cluster, cluster.current_primary);
  if (primary == nullptr || primary->phase != "Running") {
    facts.databases_unknown_why = "the primary has no running pod";
    return facts;
  }
  auto databases = read_database_facts(pod_runner(reader, nullptr, cluster.ns), primary->name);
  if (databases) {
    facts.databases = std::move(*databases);
  } else {
    facts.databases_unknown_why = databases.error().what;
  }
  return facts;
}

}  // namespace truenas::cnpg
