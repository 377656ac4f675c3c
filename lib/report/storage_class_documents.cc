// The review and the change of a class as documents, and what a plan says besides its steps.

#include <fmt/format.h>

#include "lib/base/text.h"
#include "lib/report/storage_class_report.h"
#include "lib/report/table.h"
#include "lib/workflow/storage_class/queries.h"

namespace truenas::report {
namespace {

using json::Value;
using workflow::StorageClassReview;

Value strings(const std::vector<std::string>& texts) {
  Value array = Value::array();
  for (const std::string& text : texts) array.push_back(text);
  return array;
}

// An absent side has no member: "" is a value.
Value differences_document(const StorageClassReview& review) {
  Value list = Value::array();
  for (const storage::Difference& difference : review.differences) {
    Value item = Value::object({{"field", difference.field}});
    if (difference.live) item.set("live", *difference.live);
    if (difference.wanted) item.set("wanted", *difference.wanted);
    item.set("immutable", difference.immutable);
    item.set("consequence", difference.consequence);
    list.push_back(std::move(item));
  }
  return list;
}

Value share_document(const std::optional<storage::SharePromise>& share) {
  if (!share) return {};
  return Value::object({{"fork", share->fork}, {"upstream", share->upstream}});
}

Value driver_document(const storage::DriverState& driver) {
  Value controllers = Value::array();
  for (const storage::DriverController& controller : driver.controllers) {
    controllers.push_back(Value::object({{"namespace", controller.ns},
                                         {"name", controller.name},
                                         {"replicas", controller.wanted},
                                         {"readyReplicas", controller.ready}}));
  }
  Value document = Value::object({{"name", driver.name},
                                  {"installed", driver.installed},
                                  {"fsGroupPolicy", driver.fs_group_policy},
                                  {"attachRequired", driver.attach_required},
                                  {"controllers", std::move(controllers)}});
  if (driver.knows_nodes) {
    document.set("schedulableNodes", strings(driver.nodes));
    document.set("nodesWithout", strings(driver.nodes_without));
  }
  document.set("unknown", strings(driver.unknown));
  return document;
}

Value owners_document(const StorageClassReview& review) {
  Value list = Value::array();
  for (const kube::GitOpsOwner& owner : review.owners) {
    list.push_back(Value::object({{"tool", owner.tool},
                                  {"name", owner.name},
                                  {"evidence", owner.evidence},
                                  {"reverts", owner.reverts}}));
  }
  return list;
}

Value claims_document(const std::vector<storage::Claim>& claims) {
  Value list = Value::array();
  for (const storage::Claim& claim : claims) {
    list.push_back(Value::object({{"namespace", claim.ns},
                                  {"name", claim.name},
                                  {"volume", claim.volume},
                                  {"size", claim.size},
                                  {"phase", claim.phase}}));
  }
  return list;
}

Value volumes_document(const std::vector<storage::Volume>& volumes) {
  Value list = Value::array();
  for (const storage::Volume& volume : volumes) {
    list.push_back(Value::object({{"name", volume.name},
                                  {"claimNamespace", volume.claim_ns},
                                  {"claimName", volume.claim_name},
                                  {"driver", volume.driver},
                                  {"dataset", volume.dataset},
                                  {"bytes", volume.bytes},
                                  {"reclaimPolicy", volume.reclaim_policy},
                                  {"phase", volume.phase}}));
  }
  return list;
}

std::string shown_or_absent(const std::optional<std::string>& value) {
  return value ? quote(*value) : "(absent)";
}

std::string next_line(const engine::Next& next) {
  if (const auto* step = std::get_if<engine::Step>(&next)) return "next: " + step->title;
  if (const auto* wait = std::get_if<engine::Wait>(&next))
    return fmt::format("waiting for {}: {}", wait->whom, wait->why);
  if (const auto* done = std::get_if<engine::Done>(&next)) return "nothing to do: " + done->summary;
  return "blocked: " + std::get<engine::Blocked>(next).why;
}

std::string state_of(const workflow::ClassRun& run) {
  if (run.abandoned) return "abandoned";
  return run.ended ? "complete" : "unfinished";
}

}  // namespace

Value class_review_document(const StorageClassReview& review) {
  Value document = Value::object({{"apiVersion", "truenas-migrate/v1"},
                                  {"kind", "StorageClassReview"},
                                  {"name", review.name},
                                  {"exists", review.world.live.has_value()},
                                  {"same", review.same()},
                                  {"differences", differences_document(review)},
                                  {"kept", strings(review.kept)}});
  document.set("share", Value::object({{"live", share_document(review.live_share)},
                                       {"wanted", share_document(review.wanted_share)}}));
  document.set("owners", owners_document(review));
  document.set("driver", driver_document(review.surroundings.driver));
  document.set("defaultClasses", strings(review.surroundings.default_classes));
  document.set("claims", claims_document(review.world.users.claims));
  document.set("volumes", volumes_document(review.world.users.volumes));
  document.set("oldClass", review.old_class);
  document.set("oldVolumes", volumes_document(review.world.users.old_volumes));
  document.set("notes", strings(review.notes));
  document.set("manifest", review.manifest);
  return document;
}

void describe_class_plan(engine::Plan& plan, const StorageClassReview& review,
                         const workflow::ClassOptions& options) {
  plan.title = fmt::format("{} storageclass {}", options.rollback ? "put back" : "change", options.name);
  plan.downtime = plan.deletion_count() == 0
                      ? "none"
                      : "none for running Pods; a claim made in the second between deletion and "
                        "creation waits for the new class";
  for (const storage::Difference& difference :
       options.rollback ? std::vector<storage::Difference>() : review.differences) {
    plan.notes.push_back(fmt::format("{}: {} becomes {}: {}", difference.field,
                                     shown_or_absent(difference.live), shown_or_absent(difference.wanted),
                                     difference.consequence));
  }
  if (!options.rollback && !review.kept.empty()) plan.notes.push_back("kept: " + join(review.kept, ", "));
  plan.not_done = {"change a volume that exists: it keeps the parameters it was made with",
                   "change anything on the NAS"};
  const auto helm = workflow::helm_owner(review.world);
  if (helm) {
    plan.needs.push_back(
        {std::string(workflow::k_accept_helm),
         fmt::format("the class belongs to Helm release {}, whose next upgrade compares with its chart",
                     helm->name),
         options.accepted.contains(std::string(workflow::k_accept_helm))});
  }
}

std::string render_class_status(const workflow::StorageClassWorld& world,
                                const workflow::ClassOptions& options, const engine::Next& next) {
  Table table{{"RUN", "WHAT", "OF UID", "STATE"}, {}};
  for (const workflow::ClassRun& run : world.runs) {
    const std::string undoes = run.undoes > 0 ? fmt::format(" (undoes run {})", run.undoes) : "";
    table.rows.push_back({std::to_string(run.number), workflow::way_name(run.way) + undoes,
                          run.original.text_at("/metadata/uid"), state_of(run)});
  }
  const std::string runs =
      table.rows.empty() ? fmt::format("the journal knows of no change of storageclass {}\n", options.name)
                         : render(table);
  // Without an unfinished run, what comes next is whatever is asked for next.
  if (workflow::open_run(world) == nullptr) return runs;
  return runs + "\n" + printable(next_line(next)) + "\n";
}

Value class_status_document(const workflow::StorageClassWorld& world, const workflow::ClassOptions& options,
                            const engine::Next& next) {
  Value runs = Value::array();
  for (const workflow::ClassRun& run : world.runs) {
    Value item = Value::object(
        {{"number", run.number}, {"way", workflow::way_name(run.way)}, {"state", state_of(run)}});
    if (run.undoes > 0) item.set("undoes", run.undoes);
    if (!run.original.is_null()) item.set("original", run.original);
    runs.push_back(std::move(item));
  }
  Value document = Value::object({{"apiVersion", "truenas-migrate/v1"},
                                  {"kind", "StorageClassStatus"},
                                  {"name", options.name},
                                  {"runs", std::move(runs)}});
  if (workflow::open_run(world) != nullptr) document.set("next", next_line(next));
  return document;
}

Value class_result_document(const engine::Outcome& outcome, const std::optional<StorageClassReview>& review) {
  Value document = Value::object({{"apiVersion", "truenas-migrate/v1"},
                                  {"kind", "StorageClassChange"},
                                  {"outcome", engine::to_json(outcome)}});
  if (review) document.set("review", class_review_document(*review));
  return document;
}

}  // namespace truenas::report
