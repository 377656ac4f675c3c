// The proof: lib/cnpg compares, this writes down what came of it.

#include <fmt/format.h>

#include "lib/base/text.h"
#include "lib/cnpg/proof.h"
#include "lib/workflow/postgres_rolling/facts.h"
#include "lib/workflow/postgres_rolling/state.h"

namespace truenas::workflow {
namespace {

using json::Value;

Value relation_document(const cnpg::RelationProof& relation, const std::string& primary) {
  Value document = Value::object({{"database", relation.database},
                                  {"table", relation.name},
                                  {"bytes", relation.bytes},
                                  {"verdict", cnpg::verdict_name(relation.verdict)},
                                  {"why", relation.why},
                                  {"locked", relation.locked},
                                  {"lockHeldMilliseconds", std::int64_t{relation.lock_held.count()}}});
  Value replicas = Value::array();
  for (const auto& [instance, content] : relation.held) {
    if (instance == primary) {
      document.set("rows", content.rows);
      document.set("hash", content.hash);
      continue;
    }
    replicas.push_back(
        Value::object({{"instance", instance}, {"rows", content.rows}, {"hash", content.hash}}));
  }
  document.set("replicas", std::move(replicas));
  return document;
}

Value report_document(const cnpg::ProofReport& report) {
  Value tables = Value::array();
  for (const auto& relation : report.relations) tables.push_back(relation_document(relation, report.primary));
  return Value::object({{"primary", report.primary}, {"tables", std::move(tables)}});
}

std::string summary_of(const cnpg::ProofReport& report) {
  using cnpg::ProofVerdict;
  std::vector<std::string> parts;
  const auto add = [&](ProofVerdict verdict, const char* text) {
    if (const std::size_t count = report.count(verdict); count > 0)
      parts.push_back(fmt::format("{} {}", count, text));
  };
  add(ProofVerdict::equal, "equal in count and content");
  add(ProofVerdict::only_counted, "equal in count, too large to hash");
  add(ProofVerdict::not_comparable, "not comparable");
  add(ProofVerdict::not_compared, "not compared");
  add(ProofVerdict::different, "DIFFERENT");
  return fmt::format("primary {} against {}: {}", report.primary, join(report.replicas, ", "),
                     parts.empty() ? "no tables" : join(parts, ", "));
}

std::vector<std::string> lines_of(const cnpg::ProofReport& report, cnpg::ProofVerdict verdict) {
  std::vector<std::string> lines;
  for (const auto& relation : report.relations) {
    if (relation.verdict == verdict) {
      lines.push_back(printable(fmt::format("{} {}: {}", relation.database, relation.name, relation.why)));
    }
  }
  return lines;
}

}  // namespace

Result<void> act_prove(PostgresRolling::State& state, const engine::Step& step, kube::Writer& writer,
                       const std::function<void(const std::string&)>& progress) {
  cnpg::ProofOptions options;
  options.max_bytes = state.options.proof_max_bytes;
  const auto tell = [&](const cnpg::ProofProgress& at) {
    if (progress)
      progress(fmt::format("comparing {} of {}: {} {}", at.done, at.total, at.database, at.relation));
  };
  TM_TRY_ASSIGN(const cnpg::ProofReport report,
                cnpg::prove(state.reader, writer, state.world->cluster, options, tell));
  const std::string summary = summary_of(report);
  state.proof = ProofOutcome{report.holds(), summary, report_document(report)};
  if (!report.holds()) {
    state.memory.proof_failed = "the replicas do not hold what the primary holds: " + summary;
    state.memory.proof_kind = Kind::mismatch;
    state.memory.proof_hints = lines_of(report, cnpg::ProofVerdict::different);
    state.memory.proof_hints.push_back("nothing was removed: old volumes stay (Retain)");
    return {};
  }
  if (report.count(cnpg::ProofVerdict::not_compared) > 0) {
    state.memory.proof_failed = "not every table could be compared: " + summary;
    state.memory.proof_kind = Kind::stopped;
    state.memory.proof_hints = lines_of(report, cnpg::ProofVerdict::not_compared);
    state.memory.proof_hints.push_back("run the same command again when there are fewer writers");
    return {};
  }
  return state.facts.write(step.argument("key"), proof_value(summary, *state.world));
}

}  // namespace truenas::workflow
