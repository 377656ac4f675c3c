#include "plugin/storage_class_probe.h"

#include <fmt/format.h>

#include <cstdio>

#include "lib/base/quantity.h"
#include "lib/base/text.h"
#include "lib/report/class_probe_report.h"
#include "lib/report/plan_report.h"
#include "lib/workflow/class_record.h"
#include "plugin/exit_code.h"
#include "plugin/mover_flags.h"

namespace truenas::plugin {
namespace {

Result<workflow::ProbeRequest> complete_request(const StorageClassFlags& flags, const Connection& connection,
                                                const workflow::StorageClassReview& review) {
  workflow::ProbeRequest request = flags.probe;
  if (!review.world.live) {
    return make_error(Kind::not_found,
                      fmt::format("storageclass {} does not exist: there is nothing to probe", review.name),
                      {"kubectl truenas-migrate storageclass --apply"});
  }
  request.classes = {review.name};
  if (review.surroundings.old_class_exists && review.old_class != review.name)
    request.classes.push_back(review.old_class);
  request.ns = connection.config.ns;
  request.run = make_run_name("probe");
  return request;
}

void say(const std::string& line) {
  std::fputs(fmt::format("{}\n", printable(line)).c_str(), stderr);
}

Result<std::unique_ptr<engine::Lock>> lock_probes(kube::Session& session, const std::string& ns) {
  engine::LockOptions options;
  options.ns = ns;
  options.name = engine::journal_name("probe", ns);
  options.what = "probing in namespace " + ns;
  options.holder = engine::this_holder();
  options.on_watch = [](const engine::Lease& lease, Milliseconds duration) {
    say(fmt::format("{} probes here too; watching for {} whether it is still alive", lease.holder,
                    format_elapsed(duration)));
  };
  return engine::Lock::acquire(session, options);
}

Result<void> try_probe(Connection& connection, const workflow::ProbeRequest& request) {
  workflow::ClassProbe probe(kube::Reader(*connection.session),
                             kube::Writer(*connection.session, kube::Permit::server_trial()),
                             embedded_mover(), system_clock());
  return probe.try_it(request);
}

// A finding that cannot be written down is still one.
void note_findings(Connection& connection, kube::Writer& writer, const std::string& ns,
                   const std::vector<workflow::ClassFinding>& findings) {
  const kube::Reader reader(*connection.session);
  for (const workflow::ClassFinding& finding : findings) {
    if (!finding.failed.empty()) continue;
    const auto noted = workflow::write_class_record(reader, writer, ns, finding, system_clock());
    if (!noted.ok()) {
      say(fmt::format("what was found on class {} is not recorded: {}", finding.storage_class,
                      noted.error().what));
    }
  }
}

Result<int> show(const std::vector<workflow::ClassFinding>& findings, const MigrationFlags& flags,
                 bool headers, const workflow::StorageClassReview& review) {
  std::vector<report::ProbedClass> classes;
  bool failed = false;
  for (const workflow::ClassFinding& finding : findings) {
    const bool live = finding.storage_class == review.name;
    // Of the old class only what its volumes do is known here, not its driver's policy.
    classes.push_back(
        {finding,
         live ? workflow::probe_advice(finding, review.surroundings.driver.fs_group_policy, review.live_share)
              : std::vector<std::string>()});
    failed = failed || !finding.failed.empty();
  }
  TM_TRY(print_answer(flags.structured() ? render_document(report::probe_document(classes), flags.format)
                                         : report::render_probe(classes, headers)));
  for (const workflow::ClassFinding& finding : findings) {
    for (const std::string& hint : finding.hints) say("hint: " + hint);
  }
  return failed ? k_exit_failed : k_exit_done;
}

}  // namespace

std::vector<Flag> probe_flags() {
  std::vector<Flag> flags = {
      {"probe", 0, "",
       "Try the class: a throw-away claim of it and of the old class, removed again in any case."},
      {"uid", 0, "UID", "Also try as this user (default 26 and 1000).", "", true},
      {"namespace", 'n', "NAME", "Where the probe's claims and Pods are made."},
  };
  for (Flag& flag : mover_flags()) flags.push_back(std::move(flag));
  return flags;
}

Result<workflow::ProbeRequest> read_probe_flags(const Arguments& arguments) {
  workflow::ProbeRequest request;
  if (arguments.given("uid")) request.uids = arguments.texts("uid");
  for (const std::string& uid : request.uids) {
    const bool number =
        !uid.empty() && uid.size() <= 9 && uid.find_first_not_of("0123456789") == std::string::npos;
    if (!number) return make_error(Kind::usage, fmt::format("--uid wants a number, got {}", quote(uid)));
  }
  TM_TRY_ASSIGN(request.wishes, read_mover_wishes(arguments));
  return request;
}

Result<int> probe_class(const Arguments& arguments, const StorageClassFlags& flags, Connection& connection,
                        const workflow::StorageClassReview& review) {
  const MigrationFlags& migration = flags.migration;
  TM_TRY_ASSIGN(const workflow::ProbeRequest request, complete_request(flags, connection, review));
  const engine::Plan plan = report::probe_plan(request, flags.journal_ns);
  if (migration.dry_run != DryRun::none) {
    TM_TRY(print_answer(report::render_plan(plan)));
    const bool server = migration.dry_run == DryRun::server;
    if (server) TM_TRY(try_probe(connection, request));
    say(server ? "nothing was changed (server dry run)" : "nothing was changed (dry run)");
    return k_exit_done;
  }
  TM_TRY(ask_for_consent(plan, migration));
  TM_TRY(try_probe(connection, request));
  TM_TRY_ASSIGN(const std::unique_ptr<kube::Session> lock_session, connect_for_lock(connection));
  TM_TRY_ASSIGN(const std::unique_ptr<engine::Lock> lock, lock_probes(*lock_session, request.ns));
  workflow::ClassProbe probe(kube::Reader(*connection.session),
                             kube::Writer(*connection.session, lock->permit()), embedded_mover(),
                             system_clock());
  probe.on_line = say;
  const auto findings = probe.run(request);
  if (!findings.ok()) return findings.error();
  kube::Writer writer(*connection.session, lock->permit());
  note_findings(connection, writer, flags.journal_ns, *findings);
  return show(*findings, migration, !arguments.yes("no-headers"), review);
}

}  // namespace truenas::plugin
