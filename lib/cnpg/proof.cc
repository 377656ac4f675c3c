#include "lib/cnpg/proof.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/interrupt.h"
#include "lib/base/text.h"
#include "lib/cnpg/proof_compare.h"
#include "lib/cnpg/proof_sql.h"

namespace truenas::cnpg {
namespace {

// A pass asks about so much at once; a relation above the bytes goes alone.
constexpr std::size_t k_pass_relations = 200;
constexpr std::int64_t k_pass_bytes = std::int64_t{1} << 30;

SqlCall small_call(std::string_view instance, std::string_view database, std::string sql) {
  SqlCall call;
  call.instance = instance;
  call.database = database;
  call.sql = std::move(sql);
  return call;
}

// A promoted copy or a stranger would be hashed in vain, or waited for in vain.
Result<void> check_roles(const SqlRunner& runner, const ProofInstances& instances) {
  std::string system;
  std::vector<std::string> all{instances.primary};
  all.insert(all.end(), instances.replicas.begin(), instances.replicas.end());
  for (const std::string& instance : all) {
    TM_TRY_ASSIGN(const auto rows, query(runner, small_call(instance, "postgres", role_sql())));
    if (rows.size() != 1 || rows[0].size() != 2) {
      return make_error(Kind::format, fmt::format("instance {} did not say what role it has", instance));
    }
    const bool standby = rows[0][0] == "1";
    if (standby == (instance == instances.primary)) {
      return make_error(Kind::mismatch, fmt::format("instance {} is {}", instance,
                                                    standby ? "no primary but a replica"
                                                            : "no replica: it does not follow the primary"));
    }
    if (instance == instances.primary) system = rows[0][1];
    if (rows[0][1] != system) {
      return make_error(Kind::mismatch,
                        fmt::format("instance {} belongs to another database system ({}, not {})", instance,
                                    rows[0][1], system));
    }
  }
  return {};
}

Result<void> compare_chunk(const ProofContext& context, const std::vector<Relation>& chunk,
                           ProofReport& report, const std::function<void(const Relation&)>& done) {
  if (chunk.empty()) return {};
  TM_TRY_ASSIGN(const PassResult pass, pass_without_lock(context, chunk));
  for (const Relation& relation : chunk) {
    if (interrupted()) return make_error(Kind::interrupted, "the comparison was interrupted");
    TM_TRY_ASSIGN(RelationProof proof, compare_relation(context, relation, pass));
    report.relations.push_back(std::move(proof));
    done(relation);
  }
  return {};
}

Result<void> compare_database(const ProofContext& context, ProofReport& report,
                              const ProofProgressSink& progress) {
  TM_TRY_ASSIGN(const auto rows, query(context.runner, small_call(context.instances.primary, context.database,
                                                                  relations_sql())));
  TM_TRY_ASSIGN(const std::vector<Relation> relations, parse_relations(rows));
  std::size_t finished = 0;
  const auto done = [&](const Relation& relation) {
    ++finished;
    if (progress) progress({context.database, relation.name, finished, relations.size()});
  };
  std::vector<Relation> chunk;
  std::int64_t bytes = 0;
  for (const Relation& relation : relations) {
    if (relation.unlogged || !relation.populated) {
      report.relations.push_back(start_proof(context, relation));
      done(relation);
      continue;
    }
    if (!chunk.empty() && (chunk.size() == k_pass_relations || bytes + relation.bytes > k_pass_bytes)) {
      TM_TRY(compare_chunk(context, chunk, report, done));
      chunk.clear();
      bytes = 0;
    }
    bytes += relation.bytes;
    chunk.push_back(relation);
  }
  return compare_chunk(context, chunk, report, done);
}

}  // namespace

std::string_view verdict_name(ProofVerdict verdict) {
  switch (verdict) {
    case ProofVerdict::equal:
      return "equal";
    case ProofVerdict::different:
      return "different";
    case ProofVerdict::only_counted:
      return "only_counted";
    case ProofVerdict::not_comparable:
      return "not_comparable";
    case ProofVerdict::not_compared:
      return "not_compared";
  }
  return "not_compared";
}

std::size_t ProofReport::count(ProofVerdict verdict) const {
  return static_cast<std::size_t>(std::ranges::count(relations, verdict, &RelationProof::verdict));
}

bool ProofReport::holds() const {
  return count(ProofVerdict::different) == 0;
}

Result<ProofReport> prove(const SqlRunner& runner, const ProofInstances& instances,
                          const ProofOptions& options, const ProofProgressSink& progress) {
  ProofReport report;
  report.primary = instances.primary;
  report.replicas = instances.replicas;
  TM_TRY(check_roles(runner, instances));
  TM_TRY_ASSIGN(const auto databases,
                query(runner, small_call(instances.primary, "postgres", databases_sql())));
  for (const SqlRow& row : databases) {
    report.databases.push_back(row.at(0));
    const ProofContext context{runner, instances, options, row.at(0)};
    TM_TRY(compare_database(context, report, progress));
  }
  return report;
}

Result<ProofReport> prove(const kube::Reader& reader, kube::Writer& writer, const ClusterState& cluster,
                          const ProofOptions& options, const ProofProgressSink& progress) {
  ProofInstances instances;
  instances.primary = cluster.current_primary;
  for (const std::string& instance : cluster.instance_names) {
    if (instance != cluster.current_primary) instances.replicas.push_back(instance);
  }
  if (instances.primary.empty() || instances.replicas.empty()) {
    return make_error(Kind::refused,
                      fmt::format("cluster {}/{} has no {} to compare", cluster.ns, cluster.name,
                                  instances.primary.empty() ? "primary" : "replica"));
  }
  return prove(pod_runner(reader, &writer, cluster.ns), instances, options, progress);
}

}  // namespace truenas::cnpg
