// `storageclass`: what the class really is, and the way to make it what it should be.

#include "lib/workflow/storage_class.h"

#include <fmt/format.h>

#include <cstdio>

#include "lib/report/access_report.h"
#include "lib/report/plan_report.h"
#include "lib/report/storage_class_report.h"
#include "lib/storage/class_compare.h"
#include "lib/workflow/class_probe.h"
#include "lib/workflow/class_record.h"
#include "lib/workflow/storage_class/queries.h"
#include "plugin/exit_code.h"
#include "plugin/storage_class_options.h"
#include "plugin/storage_class_probe.h"
#include "plugin/subcommands.h"

namespace truenas::plugin {
namespace {

// What one call works with.
struct Change {
  StorageClassFlags flags;
  Connection connection;
  std::unique_ptr<kube::Reader> reader;
  std::unique_ptr<engine::JournalStore> journal;
  kube::Writer* writer = nullptr;  // while a run goes on
  std::unique_ptr<workflow::StorageClassChange> workflow;
  // A comparison needs no journal: whoever may only look at classes gets it all the same.
  bool only_looks() const { return !flags.apply && !flags.status; }
  void do_without_journal(const Error& error) {
    std::fprintf(stderr, "note: earlier changes of the class are not known: %s\n", error.what.c_str());
    journal.reset();
  }
  bool structured() const { return flags.migration.structured(); }
};

workflow::FactBook fact_book(Change& change) {
  return {[&change]() -> Result<std::map<std::string, std::string>> {
            if (change.journal == nullptr) return std::map<std::string, std::string>();
            const auto journal = change.journal->read();
            if (journal.ok()) return journal->facts();
            if (!change.only_looks() || journal.error().kind != Kind::auth) return journal.error();
            change.do_without_journal(journal.error());
            return std::map<std::string, std::string>();
          },
          [&change](const std::string& key, const std::string& value) -> Result<void> {
            if (change.writer == nullptr) {
              return make_error(Kind::bug, "the journal was to be written outside a run");
            }
            return change.journal->set_facts(*change.writer, {{key, value}});
          }};
}

// A class beside another one mounts as that one does.
Result<void> take_from_model(Change& change) {
  if (change.flags.model.empty()) return {};
  TM_TRY_ASSIGN(const auto object, change.reader->find(kube::k_storage_class, "", change.flags.model));
  if (!object) return {};
  TM_TRY_ASSIGN(const storage::StorageClass model,
                storage::read_storage_class(*object, "storageclass " + change.flags.model));
  workflow::ClassOptions& options = change.flags.options;
  options.wanted = storage::class_beside(&model, options.wanted, options.name);
  return {};
}

Result<std::unique_ptr<Change>> open_change(const Arguments& arguments) {
  auto change = std::make_unique<Change>();
  TM_TRY_ASSIGN(change->flags, read_storage_class_flags(arguments));
  TM_TRY_ASSIGN(change->connection, connect(arguments));
  change->reader = std::make_unique<kube::Reader>(*change->connection.session);
  TM_TRY(take_from_model(*change));
  const workflow::ClassOptions& options = change->flags.options;
  auto journal =
      workflow::open_class_journal(*change->reader, change->flags.journal_ns, options.name, system_clock());
  if (journal.ok()) {
    change->journal = std::make_unique<engine::JournalStore>(std::move(journal).value());
  } else if (change->only_looks() && journal.error().kind == Kind::auth) {
    change->do_without_journal(journal.error());
  } else {
    return journal.error();
  }
  change->workflow =
      std::make_unique<workflow::StorageClassChange>(*change->reader, fact_book(*change), options);
  return change;
}

Result<workflow::StorageClassReview> look(Change& change, const workflow::StorageClassWorld& world) {
  TM_TRY_ASSIGN(const workflow::ClassSurroundings surroundings,
                workflow::read_surroundings(*change.reader, world, change.flags.options));
  return workflow::review(world, surroundings, change.flags.options);
}

Result<int> show_review(Change& change, const workflow::StorageClassReview& review, bool headers) {
  const OutputFormat format = change.flags.migration.format;
  TM_TRY(print_answer(change.structured()
                          ? render_document(report::class_review_document(review), format)
                          : report::render_class_review(review, format == OutputFormat::wide, headers)));
  std::fprintf(stderr, "%s\n", report::class_review_summary(review).c_str());
  return review.same() ? k_exit_done : k_exit_mismatch;
}

Result<int> show_status(Change& change, const workflow::StorageClassWorld& world) {
  const engine::Next next = change.workflow->next(world);
  const workflow::ClassOptions& options = change.flags.options;
  TM_TRY(print_answer(change.structured()
                          ? render_document(report::class_status_document(world, options, next),
                                            change.flags.migration.format)
                          : report::render_class_status(world, options, next)));
  return k_exit_done;
}

// What belongs into an owner's repository goes to standard output, ready for a file.
Result<int> refuse(Change& change, const engine::Plan& plan, const workflow::StorageClassReview& review) {
  if (!workflow::reverting_owners(review.world).empty() && !change.flags.options.rollback) {
    const bool json = change.flags.migration.format == OutputFormat::json;
    TM_TRY(print_answer(render_document(review.manifest, json ? OutputFormat::json : OutputFormat::yaml)));
  }
  return make_error(plan.blocked->kind, plan.blocked->why, plan.blocked->hints);
}

Result<int> show_plan(Change& change, const engine::Plan& plan, const workflow::StorageClassReview& review) {
  if (plan.blocked) return refuse(change, plan, review);
  TM_TRY(print_answer(change.structured()
                          ? render_document(engine::to_json(plan), change.flags.migration.format)
                          : report::render_plan(plan)));
  TM_TRY(try_plan(
      plan, change.flags.migration, change.connection, change.writer,
      [&](const engine::Step& step, kube::Writer& writer) { return change.workflow->act(step, writer); }));
  return k_exit_done;
}

Result<int> run_change(Change& change, const engine::Plan& plan, const workflow::StorageClassReview& start) {
  if (plan.blocked) return refuse(change, plan, start);
  TM_TRY(ask_for_consent(plan, change.flags.migration));
  if (plan.nothing_to_do()) return k_exit_done;
  engine::RunningMachine<workflow::StorageClassWorld> machine(*change.workflow);
  const CarryOut what = {change.connection, *change.journal, change.writer,
                         "storageclass " + change.flags.options.name, change.flags.migration.timeout};
  TM_TRY_ASSIGN(const engine::Outcome outcome, carry_out(machine, what));
  if (change.structured()) {
    std::optional<workflow::StorageClassReview> end;
    if (machine.world()) {
      if (auto review = look(change, *machine.world()); review.ok()) end = std::move(review).value();
    }
    TM_TRY(print_answer(
        render_document(report::class_result_document(outcome, end), change.flags.migration.format)));
  }
  return conclude(outcome);
}

Result<int> storage_class(const Arguments& arguments) {
  if (arguments.yes("print-rbac")) {
    std::vector<kube::Permission> permissions = workflow::class_permissions("");
    for (kube::Permission& permission : workflow::probe_permissions("")) {
      permissions.push_back(std::move(permission));
    }
    TM_TRY(print_answer(
        json::write_yaml(report::cluster_role_document("truenas-migrate-storageclass", permissions))));
    return k_exit_done;
  }
  TM_TRY_ASSIGN(const std::unique_ptr<Change> change, open_change(arguments));
  TM_TRY_ASSIGN(const workflow::StorageClassWorld world, change->workflow->observe());
  if (change->flags.status) return show_status(*change, world);
  TM_TRY_ASSIGN(const workflow::StorageClassReview review, look(*change, world));
  if (arguments.yes("probe")) return probe_class(arguments, change->flags, change->connection, review);
  if (!change->flags.apply) return show_review(*change, review, !arguments.yes("no-headers"));
  TM_TRY_ASSIGN(engine::Plan plan, engine::unfold(*change->workflow, world));
  report::describe_class_plan(plan, review, change->flags.options);
  return change->flags.migration.dry_run == DryRun::none ? run_change(*change, plan, review)
                                                         : show_plan(*change, plan, review);
}

}  // namespace

Command storage_class_command() {
  return {"storageclass",
          "storageclass",
          "Show what the new class really is, and make it what it should be",
          "Compares the live StorageClass with the wanted one, parameter by parameter, by presence (an empty "
          "one is not\n"
          "an absent one), and says what each difference means for new volumes, who owns the class, whether "
          "its driver\n"
          "is ready, and every claim and volume that depends on it. Without --apply it changes nothing. "
          "Parameters are\n"
          "immutable: --apply deletes and makes the class again only while nothing depends on it, and keeps "
          "the old one\n"
          "whole in the journal for --rollback. --probe makes a throw-away volume of it, says what really "
          "happens to files\n"
          "there, and notes it in the journal for verify and postgres. Exit code 0 when it is as wanted, 3 "
          "when it differs,\n"
          "4 when refused.",
          {"kubectl truenas-migrate storageclass",
           "kubectl truenas-migrate storageclass --set pool=TANK --set nfs.rootSquash=false",
           "kubectl truenas-migrate storageclass --from-file class.yaml --apply --dry-run=server",
           "kubectl truenas-migrate storageclass --apply --as-name=truenas-csi-nfs-2",
           "kubectl truenas-migrate storageclass --probe -n coder"},
          storage_class_flags,
          storage_class};
}

}  // namespace truenas::plugin
