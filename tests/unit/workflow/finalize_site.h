#pragma once
// A home that was moved and is in use again, and the giving up of its old volume as the command runs it.

#include <doctest/doctest.h>

#include "lib/workflow/home_finalize.h"
#include "tests/unit/workflow/home_site.h"

namespace truenas::workflow {

using LastBuild = std::function<Result<std::string>()>;

// One run, from a new process as it were, that may write so often before it is killed.
inline engine::Outcome finalize_home(HomeSite& site, const FinalizeOptions& finalize,
                                     const LastBuild& last_build = nullptr, std::size_t writes = SIZE_MAX) {
  auto session = fakes::make_session(site.cluster, site.clock);
  const kube::Reader reader(*session);
  kube::Writer writer(*session, fakes::permit_for(writes));
  engine::JournalStore journal(reader, {site.options.ns, "workspace", site.options.claim},
                               {"cluster", "claim", ""}, site.clock);
  HomeFinalize workflow(
      {.reader = reader,
       .facts = HomeSite::facts_of(journal, writer),
       .last_build = last_build,
       .program = [](const std::string&) -> Result<std::string_view> { return std::string_view("program"); },
       .clock = &site.clock},
      finalize);
  engine::RunOptions run_options;
  run_options.clock = &site.clock;
  return engine::run(workflow, writer, run_options);
}

class FinalizeSite : public HomeSite {
 public:
  explicit FinalizeSite(std::vector<std::string> leave_out = {}) {
    options.leave_out = std::move(leave_out);
    REQUIRE(run().ok());
    cluster.tick(3);
    // In use again.
    write_home("since", "the move");
    old_volume = source();
    finalize.ns = options.ns, finalize.claim = options.claim;
    finalize.accepted = {k_no_build_since};
    finalize.no_check = true;
  }

  engine::Outcome give_up(std::size_t writes = SIZE_MAX) {
    return finalize_home(*this, finalize, last_build, writes);
  }

  const json::Value* old() const { return cluster.find(kube::k_volume, "", old_volume); }
  std::string policy() const { return volume().text_at("/spec/persistentVolumeReclaimPolicy"); }
  std::size_t datasets() const { return cluster.nas.datasets.size(); }

  void check_given_up() {
    cluster.tick(3);
    CHECK(old() == nullptr);
    CHECK(policy() == "Delete");  // the class's
    CHECK(kube::label_of(volume(), "app.kubernetes.io/managed-by") == "");
    CHECK(claim()->text_at("/status/phase") == "Bound");
    CHECK(files() == before);
  }
  // What nothing of the move's may have been lost by.
  void check_kept() {
    cluster.tick(3);
    REQUIRE(old() != nullptr);
    CHECK(old()->text_at("/spec/persistentVolumeReclaimPolicy") == "Retain");
    CHECK(policy() == "Retain");
    CHECK(files() == before);
    CHECK(cluster.destroyed_data().empty());
  }

  FinalizeOptions finalize;
  LastBuild last_build = nullptr;
  std::string old_volume;

 private:
  std::string source() const {
    for (const json::Value* object : cluster.store.list("", "persistentvolumes")) {
      const bool home = object->text_at("/spec/claimRef/name") == options.claim;
      if (home && object->text_at("/spec/storageClassName") == options.from_class)
        return object->text_at("/metadata/name");
    }
    return "";
  }
};

}  // namespace truenas::workflow
