#pragma once
// HomeFinalize: ends the move of one home for good: the volume that the home is on gets its class's reclaim
// policy back, and the volume of before is given up: its object is deleted and its dataset left to the
// administrator, or (delete_data) its own driver deletes both. Before that both volumes are compared once
// more (home_finalize/check.h), unless the user does without. It must not delete, or let anything delete, a
// dataset that any other volume of the cluster uses or may use, and it moves nothing back.

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "lib/engine/workflow.h"
#include "lib/kube/permission.h"
#include "lib/kube/reader.h"
#include "lib/storage/dataset.h"
#include "lib/workflow/fact_book.h"
#include "lib/workflow/mover_run.h"
#include "lib/workflow/workspace_copy.h"

namespace truenas::workflow {

// The user's consent to give the old volume up although no build is known to have worked since the swap.
inline constexpr const char* k_no_build_since = "no-build-since";
// … to let an adopted dataset be deleted with its new volume, as its class has it.
inline constexpr const char* k_adopted_delete = "adopted-delete";

// … to delete with the volume what was left out of the copy, or taken back from: nobody has it elsewhere.
inline constexpr const char* k_left_out = "left-out";

// … to delete data that snapshots were taken of, or may have been: they go with it.
inline constexpr const char* k_snapshots = "snapshots";

// … to believe that the home's user has removed much of what the old volume still has.
inline constexpr const char* k_removed_since = "removed-since";

// What the user has agreed to give up; anything else by now is refused.
struct AgreedVolumes {
  int run = 0;
  std::string old_uid, home_uid;
  bool operator==(const AgreedVolumes&) const = default;
};

struct FinalizeOptions {
  std::string ns, claim;
  std::set<std::string> accepted;  // --accept=ID
  bool delete_data = false;        // --delete-data: the old driver deletes the dataset
  bool no_check = false;           // --no-check: without comparing both volumes once more
  std::string endangered;          // why the next build destroys the home where it is; "" when it does not
  std::optional<AgreedVolumes> agreed;

  std::string full_name() const { return ns + "/" + claim; }
};

struct FinalizeWorld {
  SwapFacts facts;            // of the newest run: source is the volume of before, target the one of now
  ClaimState claim;           // of the home's name
  VolumeState old, home;      // the volume of before, the volume that the home is on
  bool adopted = false;       // both are, or may be, one dataset
  std::string wanted_policy;  // the reclaim policy that the home's volume gets back
  // Every other volume on the dataset of the old one, and of the home's; without each other.
  std::vector<storage::DatasetUser> users_of_old, users_of_home;
  // Of the old one, where its data is to be deleted; nullopt: could not be looked at.
  std::optional<std::vector<std::string>> snapshots = std::vector<std::string>();
  std::vector<std::string> attached;  // nodes to which the old one is attached
  std::string cannot_check;           // why both cannot be compared now; "" when they can
  // In this process: both were compared, and nothing is missing or different but what was done since the
  // move; what was seen then, for people; "" when they were not.
  std::string checked;
  bool check_left = false;  // what a killed check has made is still there
  bool asked_coder = false;
  bool built = false;  // by Coder's word: a build since the claim was made anew has worked
  std::vector<std::string> missing_permissions;
};

struct HomeFinalizeTools {
  const kube::Reader& reader;
  FactBook facts;
  // When the workspace's newest build began, as Coder tells it (RFC 3339), if that build has worked; "" if
  // not. Unset without a token.
  std::function<Result<std::string>()> last_build = {};
  // For the check; none: only no_check.
  MoverProgram program = {};
  storage::MoverWishes wishes = {};
  Clock* clock = nullptr;  // none: the system's
  std::function<void(const std::string& line)> on_line = {};
};

class HomeFinalize final : public engine::Workflow<FinalizeWorld> {
 public:
  // What the tools point to must outlive it.
  HomeFinalize(HomeFinalizeTools tools, FinalizeOptions options);
  ~HomeFinalize() override;

  Result<FinalizeWorld> observe() override;
  engine::Next next(const FinalizeWorld& world) const override;
  FinalizeWorld project(FinalizeWorld world, const engine::Next& next) const override;
  // One effect. Before anything is deleted, every volume of the cluster is looked at once more.
  Result<void> act(const engine::Step& step, kube::Writer& writer) override;
  std::vector<engine::Violation> check(const FinalizeWorld& world) const override;
  std::string progress(const FinalizeWorld& world) const override;
  const FinalizeOptions& options() const { return options_; }
  // From now on only these.
  void agree(const AgreedVolumes& volumes) { options_.agreed = volumes; }

 private:
  Result<void> look_at_datasets(FinalizeWorld& world) const;
  Result<void> look_at_snapshots(FinalizeWorld& world) const;
  Result<void> look_at_class(FinalizeWorld& world) const;
  Result<void> look_at_attachments(FinalizeWorld& world) const;
  Result<void> look_at_check(FinalizeWorld& world) const;
  Result<void> act_on_check(const engine::Step& step, kube::Writer& writer);

  HomeFinalizeTools tools_;
  FinalizeOptions options_;
  std::optional<FinalizeWorld> world_;  // seen last
  std::string checked_;                 // FinalizeWorld::checked
  AgreedVolumes checked_volumes_;       // … of these
  std::optional<std::vector<std::string>> missing_permissions_;
};

AgreedVolumes volumes_of(const FinalizeWorld& world);

// `check`: also what the comparison needs.
std::vector<kube::Permission> home_finalize_permissions(const std::string& ns, bool check);

}  // namespace truenas::workflow
