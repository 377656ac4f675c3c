#include "plugin/postgres_move.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "lib/base/quantity.h"
#include "lib/base/text.h"
#include "lib/cnpg/cluster_reader.h"

namespace truenas::plugin {
namespace {

Result<workflow::RollingOptions> read_options(const Arguments& arguments) {
  const std::string strategy = arguments.text("strategy");
  if (strategy == "dump") {
    return make_error(Kind::usage,
                      "--strategy=dump is not part of this version; the only strategy is rolling");
  }
  if (strategy != "rolling") {
    return make_error(Kind::usage,
                      fmt::format("unknown strategy {}: did you mean rolling?", quote(strategy)));
  }
  if (arguments.positionals().size() > 1) {
    return make_error(Kind::usage, fmt::format("postgres moves one cluster, got {}",
                                               printable(join(arguments.positionals(), " "))));
  }
  workflow::RollingOptions options;
  options.from_class = arguments.text("from-class");
  options.to_class = arguments.text("to-class");
  options.class_journal_ns = arguments.text("journal-namespace");
  if (options.from_class == options.to_class) {
    return make_error(Kind::usage,
                      fmt::format("--from-class and --to-class are both {}", quote(options.to_class)));
  }
  options.rollback = arguments.yes("rollback");
  if (options.rollback) std::swap(options.from_class, options.to_class);
  options.skip_canary = arguments.yes("skip-canary");
  for (const std::string& id : arguments.texts("accept")) options.accepted.insert(id);
  TM_TRY_ASSIGN(options.proof_max_bytes, parse_quantity(arguments.text("proof-max-size")));
  return options;
}

Result<std::string> choose_cluster(const kube::Reader& reader, const std::string& ns,
                                   const Arguments& arguments) {
  TM_TRY_ASSIGN(const std::vector<std::string> names, cnpg::cluster_names(reader, ns));
  const std::string list = fmt::format("kubectl get clusters.postgresql.cnpg.io -n {}", ns);
  if (!arguments.positionals().empty()) {
    const std::string& wanted = arguments.positionals()[0];
    if (std::find(names.begin(), names.end(), wanted) != names.end()) return wanted;
    Error error =
        make_error(Kind::not_found, fmt::format("cluster {}/{} does not exist", ns, printable(wanted)));
    if (const auto near = nearest(wanted, names))
      error.hints.push_back(fmt::format("did you mean {}?", *near));
    error.hints.push_back(list);
    return error;
  }
  if (names.empty()) {
    return make_error(Kind::not_found, fmt::format("there is no CloudNativePG cluster in namespace {}", ns),
                      {"kubectl get clusters.postgresql.cnpg.io -A",
                       "kubectl truenas-migrate postgres --namespace NAMESPACE"});
  }
  if (names.size() > 1) {
    return make_error(Kind::usage, fmt::format("namespace {} has {}: {}; name one", ns,
                                               count_of(names.size(), "cluster"), join(names, ", ")));
  }
  return names[0];
}

}  // namespace

Result<std::unique_ptr<Move>> open_move(const Arguments& arguments) {
  auto move = std::make_unique<Move>();
  TM_TRY_ASSIGN(move->flags, read_migration_flags(arguments));
  TM_TRY_ASSIGN(workflow::RollingOptions options, read_options(arguments));
  TM_TRY_ASSIGN(move->connection, connect(arguments));
  move->reader = std::make_unique<kube::Reader>(*move->connection.session);
  options.ns = move->connection.config.ns;
  TM_TRY_ASSIGN(options.cluster, choose_cluster(*move->reader, options.ns, arguments));
  TM_TRY_ASSIGN(std::string cluster_uid, move->reader->cluster_uid());
  engine::JournalBinding binding{std::move(cluster_uid),
                                 fmt::format("cluster {}/{}", options.ns, options.cluster), ""};
  move->journal = std::make_unique<engine::JournalStore>(
      *move->reader, engine::JournalAddress{options.ns, "postgres", options.cluster}, std::move(binding),
      system_clock());
  move->rolling = std::make_unique<workflow::PostgresRolling>(
      *move->reader, fact_book(*move->journal, move->writer), std::move(options), system_clock());
  move->rolling->on_proof_progress = [](const std::string& line) {
    std::fputs(fmt::format("         {}\n", printable(line)).c_str(), stderr);
  };
  return move;
}

}  // namespace truenas::plugin
