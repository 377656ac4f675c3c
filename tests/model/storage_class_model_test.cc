// Every world that changing a StorageClass can get into: no class is deleted that somebody depends on or that
// is not written down, and it always ends.

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "lib/base/text.h"
#include "lib/storage/class_compare.h"
#include "lib/storage/class_wanted.h"
#include "lib/workflow/storage_class/decide.h"
#include "lib/workflow/storage_class/queries.h"
#include "tests/model/model_check.h"

using namespace truenas;
using namespace truenas::workflow;
using engine::Next;
using engine::Step;
using engine::Violation;

namespace {

using Variations = std::vector<model::Variation<StorageClassWorld>>;

ClassOptions options_with(bool rollback = false) {
  ClassOptions options;
  options.name = "truenas-csi-nfs";
  options.other_name = "truenas-csi-nfs-2";
  options.wanted = storage::runbook_class(options.name);
  options.rollback = rollback;
  return options;
}

json::Value merged(json::Value object, std::string_view text) {
  auto patch = json::parse_yaml(text, "test");
  REQUIRE(patch.ok());
  return json::apply_merge_patch(object, *patch);
}

void make_live(StorageClassWorld& world, const json::Value& object) {
  auto read = storage::read_storage_class(object, "test");
  REQUIRE(read.ok());
  world.live = std::move(read).value();
}

// The runbook's class changed by this patch, live.
StorageClassWorld world_with(std::string_view patch) {
  StorageClassWorld world;
  make_live(world, merged(storage::runbook_class("truenas-csi-nfs"),
                          "{metadata: {uid: first, resourceVersion: '1', labels: {team: storage}}}"));
  make_live(world, merged(world.live->object, patch));
  return world;
}

constexpr const char* k_immutable = "{parameters: {nfs.mapAllUser: root}}";
constexpr const char* k_mutable = "{allowVolumeExpansion: false}";

std::string describe(const StorageClassWorld& world) {
  std::string text = world.live ? json::write(world.live->object) : "none";
  text += world.live && world.live->terminating ? " terminating" : "";
  for (const std::string& user : storage::describe_users(world.users)) text += " | " + user;
  for (const ClassRun& run : world.runs) {
    text += fmt::format(" | {} {} {} {}{} {}", run.number, way_name(run.way), run.undoes, run.ended,
                        run.abandoned, json::write(run.original));
  }
  return text;
}

// The real decisions, and what must be true whenever a class is taken away.
class Modelled final : public engine::Workflow<StorageClassWorld> {
 public:
  explicit Modelled(ClassOptions options) : options_(std::move(options)) {}
  Result<StorageClassWorld> observe() override { return make_error(Kind::bug, "a model does not observe"); }
  Result<void> act(const Step&, kube::Writer&) override {
    return make_error(Kind::bug, "a model does not act");
  }
  Next next(const StorageClassWorld& world) const override { return decide_class(world, options_); }
  std::string progress(const StorageClassWorld&) const override { return ""; }
  StorageClassWorld project(StorageClassWorld world, const Next& next) const override {
    const Step* step = std::get_if<Step>(&next);
    if (step != nullptr && wrong_.empty()) {
      for (const Violation& violation : guard_class(world, options_, *step)) {
        wrong_ = fmt::format("{}: {} ({})", step->id, violation.rule, violation.detail);
      }
      if (step->verb == "delete-class") {
        const bool written = std::any_of(world.runs.begin(), world.runs.end(), [&](const ClassRun& run) {
          return run.original == world.live->object;
        });
        if (!written || !world.users.empty()) wrong_ = "deleted too early: " + describe(world);
      }
    }
    return project_class(std::move(world), options_, next);
  }
  std::vector<Violation> check(const StorageClassWorld& world) const override { return check_class(world); }
  const std::string& wrong() const { return wrong_; }

 private:
  ClassOptions options_;
  mutable std::string wrong_;
};

void add(Variations& changes, const StorageClassWorld& world, const std::string& label,
         const std::function<void(StorageClassWorld&)>& change) {
  StorageClassWorld changed = world;
  change(changed);
  changes.push_back({label, std::move(changed)});
}

Variations foreign(const StorageClassWorld& world) {
  Variations changes;
  add(changes, world, "a claim is made", [](auto& w) {
    storage::Claim claim;
    claim.ns = "coder", claim.name = "late";
    w.users.claims = {claim};
  });
  add(changes, world, "a volume is made", [](auto& w) {
    storage::Volume volume;
    volume.name = "pv-late";
    w.users.volumes = {volume};
  });
  add(changes, world, "all users go", [](auto& w) { w.users = {}; });
  if (!world.live) {
    for (const char* patch : {"{}", k_immutable, k_mutable, "{parameters: {pool: THEIRS}}"}) {
      add(changes, world, fmt::format("somebody makes the class with {}", patch), [&](auto& w) {
        make_live(w, merged(storage::runbook_class("truenas-csi-nfs"), patch));
        make_live(w, merged(w.live->object, "{metadata: {uid: theirs, resourceVersion: '9'}}"));
      });
    }
    return changes;
  }
  add(changes, world, "the class is deleted", [](auto& w) { w.live.reset(); });
  add(changes, world, "the class is being deleted",
      [](auto& w) { make_live(w, merged(w.live->object, "{metadata: {deletionTimestamp: now}}")); });
  for (const char* patch : {"{metadata: {labels: {late: 'yes'}, resourceVersion: '8'}}",
                            "{metadata: {labels: {fleet.cattle.io/bundle-id: x}, resourceVersion: '8'}}",
                            "{allowVolumeExpansion: false, metadata: {resourceVersion: '8'}}",
                            "{mountOptions: [soft], metadata: {resourceVersion: '8'}}",
                            "{metadata: {resourceVersion: '8', managedFields: [{manager: other, fieldsV1: "
                            "{'f:allowVolumeExpansion': {}}}]}}"}) {
    add(changes, world, fmt::format("the class gets {}", patch),
        [&](auto& w) { make_live(w, merged(w.live->object, patch)); });
  }
  return changes;
}

std::vector<Violation> when_done(const StorageClassWorld& world, const ClassOptions& options) {
  const auto goal = goal_of(world, options);
  if (!goal.ok() || !is_reached(world, *goal)) return {{"the class is as wanted, or as it was", ""}};
  if (open_run(world) != nullptr) return {{"the journal is closed", "it is open"}};
  return {};
}

std::size_t walk(const std::string& label, const StorageClassWorld& start, const ClassOptions& options,
                 int others = 1) {
  const Modelled workflow(options);
  model::Model<StorageClassWorld> model{
      workflow, {{label, start}}, [](const StorageClassWorld& w) { return describe(w); }};
  model.restarted = [](StorageClassWorld world) { return world; };
  model.foreign = foreign;
  model.when_done = [&](const StorageClassWorld& world) { return when_done(world, options); };
  model.foreign_limit = others;
  const model::ModelReport report = model::check_model(model);
  CHECK_MESSAGE(report.ok(), label << ": " << report.failure);
  CHECK_MESSAGE(workflow.wrong().empty(), label << ": " << workflow.wrong());
  CHECK_MESSAGE(report.done > 0, label);
  return report.worlds;
}

// An undisturbed run's world after so many decisions.
StorageClassWorld after(StorageClassWorld world, const ClassOptions& options, int decisions) {
  for (int i = 0; i < decisions; ++i) {
    const Next next = decide_class(world, options);
    if (!std::holds_alternative<Step>(next)) break;
    world = project_class(std::move(world), options, next);
  }
  return world;
}

}  // namespace

TEST_CASE("from every start, with two changes by others at any moment") {
  std::size_t worlds = 0;
  worlds += walk("none", StorageClassWorld(), options_with(), 2);
  worlds += walk("as wanted", world_with("{}"), options_with(), 2);
  worlds += walk("mutable fields differ", world_with(k_mutable), options_with(), 2);
  worlds += walk("parameters differ", world_with(k_immutable), options_with(), 2);
  MESSAGE(fmt::format("{} worlds", worlds));
}

TEST_CASE("turned round at every moment, and back") {
  std::size_t worlds = 0;
  for (const char* patch : {k_immutable, k_mutable}) {
    for (int decisions = 1; decisions <= 4; ++decisions) {
      const StorageClassWorld partly = after(world_with(patch), options_with(), decisions);
      worlds += walk(fmt::format("{} put back after {}", patch, decisions), partly, options_with(true));
      for (int back = 1; back <= 4; ++back) {
        const StorageClassWorld again = after(partly, options_with(true), back);
        worlds +=
            walk(fmt::format("{} forth after {} and {}", patch, decisions, back), again, options_with());
      }
    }
  }
  MESSAGE(fmt::format("{} worlds", worlds));
}

TEST_CASE("undisturbed, the class that was is the class that comes back") {
  for (const char* patch : {k_immutable, k_mutable}) {
    for (int decisions = 1; decisions <= 4; ++decisions) {
      CAPTURE(patch);
      CAPTURE(decisions);
      const StorageClassWorld start = world_with(patch);
      const StorageClassWorld back = after(after(start, options_with(), decisions), options_with(true), 100);
      REQUIRE(back.live);
      CHECK(storage::compare_classes(*back.live, *start.live, storage::Silence::is_none).empty());
      CHECK(back.live->labels == start.live->labels);
    }
  }
}
