#pragma once
// MoverRun: runs volume-mover once in a Pod: where it can run, the program as a ConfigMap, the Pod, its
// progress, its result, and the clean-up of both, also when it is interrupted. What is moved where is its
// caller's; it must not be given a claim that somebody writes to.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/clock.h"
#include "lib/engine/lock.h"
#include "lib/kube/changes.h"
#include "lib/kube/reader.h"
#include "lib/kube/writer.h"
#include "lib/storage/mover_end.h"
#include "lib/storage/mover_place.h"
#include "lib/storage/mover_pod.h"

namespace truenas::workflow {

// The program for "amd64" or "arm64"; Kind::refused when there is none.
using MoverProgram = std::function<Result<std::string_view>(const std::string& architecture)>;

struct MoverRequest {
  std::string ns;
  std::string run;                     // names the run: part of the Pod's name, at most 20 of [a-z0-9-]
  std::vector<std::string> arguments;  // the mode first; paths are the mounts'
  std::vector<storage::MoverMount> mounts;
  storage::MoverWishes wishes;
  std::string fallback_image;         // the workload's own, where no pause image is known
  Seconds start_deadline{180};        // from its creation until it runs
  std::int64_t deadline_seconds = 0;  // of the whole Pod; 0: none
};

// One Lease for each claim that is written: never two movers on one volume, whoever starts them.
class ClaimLocks {
 public:
  // Kind::locked naming the holder when another mover has a claim. `session` must outlive it.
  static Result<ClaimLocks> acquire(kube::Session& session, const std::string& ns,
                                    const std::vector<std::string>& claims, Clock& clock);
  // `base` and every claim's lock.
  kube::Permit permit(kube::Permit base) const;

 private:
  std::shared_ptr<std::vector<std::unique_ptr<engine::Lock>>> locks_ =
      std::make_shared<std::vector<std::unique_ptr<engine::Lock>>>();
};

class MoverRun {
 public:
  MoverRun(kube::Reader reader, kube::Writer writer, MoverProgram program, Clock& clock)
      : reader_(reader), writer_(std::move(writer)), program_(std::move(program)), clock_(&clock) {}

  // Puts ConfigMap and Pod to the server with dryRun=All: Kind::refused with clear text when admission
  // (PodSecurity, quota, LimitRange, a webhook) or the place says no. Changes nothing.
  Result<void> try_it(const MoverRequest& request);
  // Runs it to its end and removes what it made. The exit code is in the result, also when it is not 0.
  // Kind::locked: another mover's Pod still mounts a claim that this one writes. Kind::stopped: it did not
  // start, or was killed. Kind::interrupted: asked to stop; the Pod is asked to end and removed.
  Result<storage::MoverEnd> run(const MoverRequest& request);

  // One line for people: where it runs, why it does not start, how far it is. Only when it has changed.
  std::function<void(const std::string& line)> on_line;
  // Called about once a second from the Pod's creation to its end: for whoever must not look away meanwhile.
  std::function<void()> on_look;
  // Where its Pod is watched: looked at when there is news of it. Null: every `look_every`.
  kube::Changes* changes = nullptr;
  // How far it is, and without news how it is.
  Milliseconds look_every{1000};

 private:
  struct Placed {
    storage::MoverPod pod;
    std::string_view program;
  };
  Result<Placed> place(const MoverRequest& request) const;
  Result<void> check_writers(const MoverRequest& request) const;
  Result<void> ensure_config(const Placed& placed);
  Result<std::string> create(const Placed& placed);  // the Pod's uid
  Result<storage::MoverEnd> watch(const MoverRequest& request, const Placed& placed, const std::string& uid);
  Result<std::optional<storage::MoverEnd>> look(const MoverRequest& request, const Placed& placed,
                                                const std::string& uid, Milliseconds since);
  bool is_due(const Placed& placed) const;
  Result<void> rest();
  void clean_up(const Placed& placed, const std::string& uid);
  void remove_config(const Placed& placed);
  void say(const std::string& line);

  kube::Reader reader_;
  kube::Writer writer_;
  MoverProgram program_;
  Clock* clock_;
  std::string said_;
  Milliseconds trouble_since_{-1};
  std::optional<Milliseconds> looked_;  // at its Pod
  kube::Changes::Mark mark_ = 0;        // from before that
};

}  // namespace truenas::workflow
