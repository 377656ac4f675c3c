#pragma once
// A fake cluster with a class to change, and the workflow run on it as the command runs it.

#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "lib/engine/journal_store.h"
#include "lib/engine/run.h"
#include "lib/storage/class_wanted.h"
#include "lib/workflow/storage_class.h"
#include "tests/fakes/fake_transport.h"
#include "tests/fakes/site.h"
#include "tests/unit/yaml.h"

namespace truenas::workflow {

class ClassSite {
 public:
  ClassSite() {
    fakes::build_classes(cluster);
    cluster.put(yaml("{apiVersion: v1, kind: Namespace, metadata: {name: kube-system}}"));
    options.name = "truenas-csi-nfs";
    options.other_name = "truenas-csi-nfs-2";
    options.old_class = "truenas-nfs";
    options.wanted = storage::runbook_class(options.name);
  }

  // The live class with these parameters and members instead of the runbook's.
  void live(std::string_view parameters, std::string_view members = "{}") {
    cluster.meddle(kube::k_storage_class, "", options.name, [&](json::Value& object) {
      object.set("parameters", yaml(parameters));
      object = json::apply_merge_patch(object, yaml(members));
    });
  }
  const json::Value* find(std::string_view name = "truenas-csi-nfs") const {
    return cluster.find(kube::k_storage_class, "", name);
  }
  void put(std::string_view text) { cluster.put(yaml(text)); }
  void add_claim(const std::string& name) {
    put("{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: " + name +
        ", namespace: coder}, spec: {storageClassName: truenas-csi-nfs, volumeName: none}, status: {phase: "
        "Pending}}");
  }

  // One run, from a new process as it were.
  engine::Outcome run() {
    auto session = fakes::make_session(cluster, clock);
    const kube::Reader reader(*session);
    engine::JournalStore journal(reader, {"kube-system", "storageclass", options.name},
                                 {reader.cluster_uid().value_or(""), "storageclass " + options.name, ""},
                                 clock);
    kube::Writer writer(*session, fakes::any_permit());
    StorageClassChange change(reader,
                              {[&]() -> Result<std::map<std::string, std::string>> {
                                 TM_TRY_ASSIGN(const engine::Journal read, journal.read());
                                 return read.facts();
                               },
                               [&](const std::string& key, const std::string& value) {
                                 return journal.set_facts(writer, {{key, value}});
                               }},
                              options);
    engine::RunOptions run_options;
    run_options.clock = &clock;
    run_options.interrupted = [] { return false; };
    return engine::run(change, writer, run_options);
  }
  engine::Outcome roll_back() {
    options.rollback = true;
    engine::Outcome outcome = run();
    options.rollback = false;
    return outcome;
  }

  fakes::FakeCluster cluster;
  fakes::FakeClock clock{cluster};
  ClassOptions options;
};

}  // namespace truenas::workflow
