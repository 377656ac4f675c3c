#include "lib/report/postgres_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "lib/base/quantity.h"
#include "lib/base/text.h"
#include "lib/report/table.h"
#include "lib/workflow/postgres_rolling/preflight.h"
#include "lib/workflow/postgres_rolling/queries.h"

namespace truenas::report {
namespace {

using workflow::PostgresWorld;
using workflow::RollingOptions;

const cnpg::InstanceVolume* volume_of(const PostgresWorld& world, const cnpg::InstanceClaim& claim) {
  const auto found = world.cluster.volumes.find(claim.volume);
  return found == world.cluster.volumes.end() ? nullptr : &found->second;
}

std::string role_of(const PostgresWorld& world, const std::string& instance) {
  return instance == world.cluster.current_primary ? "primary" : "replica";
}

std::string replication_of(const PostgresWorld& world, const std::string& instance) {
  if (instance == world.cluster.current_primary) return "-";
  if (!world.cluster.replication) return "unknown";
  const auto found = world.cluster.replication->find(instance);
  if (found == world.cluster.replication->end()) return "not connected";
  return found->second.lag_bytes < 0
             ? found->second.state
             : fmt::format("{}, lag {}", found->second.state, format_bytes(found->second.lag_bytes));
}

// Volumes behind no claim any more that were this cluster's: the old homes.
std::vector<const cnpg::InstanceVolume*> old_volumes(const PostgresWorld& world) {
  std::set<std::string> in_use;
  for (const cnpg::InstanceClaim& claim : world.cluster.claims) in_use.insert(claim.volume);
  std::vector<const cnpg::InstanceVolume*> volumes;
  for (const auto& [name, volume] : world.cluster.volumes) {
    if (in_use.count(name) == 0) volumes.push_back(&volume);
  }
  return volumes;
}

std::string instances_table(const PostgresWorld& world) {
  Table table{{"INSTANCE", "ROLE", "CLAIM", "CLASS", "DRIVER", "RECLAIM", "REPLICATION"}, {}};
  for (const cnpg::InstanceClaim& claim : world.cluster.claims) {
    const cnpg::InstanceVolume* volume = volume_of(world, claim);
    table.rows.push_back({claim.instance, role_of(world, claim.instance), claim.name, claim.storage_class,
                          volume == nullptr ? "" : volume->driver,
                          volume == nullptr ? "" : volume->reclaim_policy,
                          replication_of(world, claim.instance)});
  }
  return render(table);
}

std::string old_volumes_table(const PostgresWorld& world) {
  Table table{{"OLD VOLUME", "WAS CLAIM", "SIZE", "RECLAIM", "DATASET"}, {}};
  for (const cnpg::InstanceVolume* volume : old_volumes(world)) {
    table.rows.push_back({volume->name, volume->claim_name, format_bytes(volume->bytes),
                          volume->reclaim_policy,
                          volume->dataset.empty() ? volume->handle : volume->dataset});
  }
  return table.rows.empty() ? "" : "\n" + render(table);
}

std::string proof_table(const json::Value& report) {
  Table table{{"DATABASE", "TABLE", "ROWS", "HASH", "COMPARED WITH", "VERDICT"}, {}};
  for (const json::Value& item : report.items_at("/tables")) {
    std::vector<std::string> replicas;
    for (const json::Value& replica : item.items_at("/replicas"))
      replicas.push_back(replica.text_at("/instance"));
    const std::string& why = item.text_at("/why");
    table.rows.push_back({item.text_at("/database"), item.text_at("/table"),
                          std::string(item.find("rows") == nullptr ? "" : item.find("rows")->spelled()),
                          item.text_at("/hash"), join(replicas, ","),
                          item.text_at("/verdict") + (why.empty() ? "" : ": " + why)});
  }
  return table.rows.empty() ? "" : "\n" + render(table);
}

json::Value instances_document(const PostgresWorld& world) {
  json::Value list = json::Value::array();
  for (const cnpg::InstanceClaim& claim : world.cluster.claims) {
    const cnpg::InstanceVolume* volume = volume_of(world, claim);
    list.push_back(json::Value::object({{"instance", claim.instance},
                                        {"role", role_of(world, claim.instance)},
                                        {"claim", claim.name},
                                        {"storageClass", claim.storage_class},
                                        {"volume", claim.volume},
                                        {"driver", volume == nullptr ? "" : volume->driver},
                                        {"reclaimPolicy", volume == nullptr ? "" : volume->reclaim_policy},
                                        {"replication", replication_of(world, claim.instance)}}));
  }
  return list;
}

json::Value old_volumes_document(const PostgresWorld& world) {
  json::Value list = json::Value::array();
  for (const cnpg::InstanceVolume* volume : old_volumes(world)) {
    list.push_back(json::Value::object({{"name", volume->name},
                                        {"claim", volume->claim_name},
                                        {"bytes", volume->bytes},
                                        {"reclaimPolicy", volume->reclaim_policy},
                                        {"driver", volume->driver},
                                        {"dataset", volume->dataset}}));
  }
  return list;
}

std::string next_line(const engine::Next& next) {
  if (const auto* step = std::get_if<engine::Step>(&next)) return "next: " + step->title;
  if (const auto* wait = std::get_if<engine::Wait>(&next)) {
    return fmt::format("waiting for {}: {}", wait->whom, wait->why);
  }
  if (const auto* blocked = std::get_if<engine::Blocked>(&next)) return "blocked: " + blocked->why;
  return "done: " + std::get<engine::Done>(next).summary;
}

json::Value header(std::string_view kind, const RollingOptions& options) {
  return json::Value::object({{"apiVersion", "truenas-migrate/v1"},
                              {"kind", kind},
                              {"namespace", options.ns},
                              {"cluster", options.cluster},
                              {"fromClass", options.from_class},
                              {"toClass", options.to_class}});
}

}  // namespace

void describe_rolling_plan(engine::Plan& plan, const PostgresWorld& world, const RollingOptions& options) {
  plan.title = fmt::format("move cluster {}/{} from storage class {} to {}{}", options.ns, options.cluster,
                           options.from_class, options.to_class, options.rollback ? " (rollback)" : "");
  for (const workflow::Finding& finding : workflow::preflight(world, options)) {
    if (finding.severity == workflow::Finding::Severity::accept) {
      plan.needs.push_back({finding.id, finding.text, finding.accepted});
    } else if (finding.severity == workflow::Finding::Severity::note) {
      plan.notes.push_back(finding.text);
    }
  }
  if (plan.nothing_to_do() || plan.blocked) return;
  plan.downtime = "one switchover, a few seconds; clients reconnect by themselves";
  plan.notes.push_back(
      "at the end a table that is being written to is locked in SHARE mode while it is hashed on every "
      "instance: its "
      "writers wait 2 s for the lock and 10 s more at most; quiet tables are compared without a lock");
  plan.not_done = {"delete an old volume: they stay, with reclaim policy Retain",
                   "touch the primary's claim or Pod, or more than one replica at a time",
                   "change a Secret, a service or a connection string"};
}

std::string render_rolling_status(const PostgresWorld& world, const RollingOptions&,
                                  const engine::Next& next) {
  return instances_table(world) + old_volumes_table(world) +
         fmt::format("\n{}\n{}\n", printable(workflow::progress_of_rolling(world)),
                     printable(next_line(next)));
}

json::Value rolling_status_document(const PostgresWorld& world, const RollingOptions& options,
                                    const engine::Next& next) {
  json::Value document = header("PostgresMoveStatus", options);
  document.set("phase", world.cluster.phase);
  document.set("instances", instances_document(world));
  document.set("oldVolumes", old_volumes_document(world));
  document.set("next", next_line(next));
  return document;
}

std::string render_rolling_result(const PostgresWorld& world,
                                  const std::optional<workflow::ProofOutcome>& proof, const RollingOptions&) {
  std::string text = instances_table(world);
  if (proof) text += proof_table(proof->report) + "\nproof: " + printable(proof->summary) + "\n";
  return text + old_volumes_table(world);
}

json::Value rolling_result_document(const engine::Outcome& outcome, const std::optional<PostgresWorld>& world,
                                    const std::optional<workflow::ProofOutcome>& proof,
                                    const RollingOptions& options) {
  json::Value document = header("PostgresMove", options);
  document.set("outcome", engine::to_json(outcome));
  if (world) {
    document.set("instances", instances_document(*world));
    document.set("oldVolumes", old_volumes_document(*world));
  }
  if (proof) {
    document.set("proof",
                 json::Value::object(
                     {{"passed", proof->passed}, {"summary", proof->summary}, {"report", proof->report}}));
  }
  return document;
}

}  // namespace truenas::report
