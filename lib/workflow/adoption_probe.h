#pragma once
// AdoptionProbe: a look at the dataset of an old volume through one more volume object on that very dataset,
// read-only: with a claim for it, a mover, and all three removed again. Through the new driver it tells,
// before anything is stopped, whether that one can serve it; through the old volume's own (`own_driver`), and
// only while nobody else mounts it, what is on a volume that no claim has any more. The dataset is the user's
// live data: the volume object is
// Retain from its creation on, that is read back before anything is deleted, and nothing here ever writes
// another policy. What was seen is plain data; whether it is what was expected is the caller's to say.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lib/kube/permission.h"
#include "lib/workflow/mover_run.h"

namespace truenas::workflow {

struct AdoptionProbeRequest {
  std::string ns;             // where claim and Pod are made: the old claim's
  json::Value old_volume;     // whole, as read from the cluster
  std::string driver;         // the new class's provisioner
  std::string storage_class;  // the new class
  bool own_driver = false;    // not through the new driver, but as the old volume has it
  // What the mover is told before the path of the dataset, and what else it mounts and is told of; none: it
  // scans the root.
  std::vector<std::string> arguments;
  std::vector<storage::MoverMount> more;
  // The mover refuses unless this is mounted there ("nfs": any version; "" for anything that is a mount).
  std::string expected_type = "nfs";
  storage::MoverWishes wishes;
  std::string fallback_image;  // MoverRequest's
  Seconds bound_deadline{60};  // a pre-bound claim may wait 15 s (facts/truenas.md §8.3)
  Seconds gone_deadline{120};  // of Pod, claim, volume object and its attachment, when all is over
};

struct AdoptionSight {
  // Of what lies directly in the root; exit 0: it could be read. Result: /facts and /counts.
  storage::MoverEnd scan;
  std::string server, path;  // what the driver said that it mounts; "" when its attachment was not seen
};

class AdoptionProbe {
 public:
  AdoptionProbe(kube::Reader reader, kube::Writer writer, MoverProgram program, Clock& clock)
      : reader_(reader), writer_(std::move(writer)), program_(std::move(program)), clock_(&clock) {}

  // Whether the server would take the volume, the claim and the Pod; Kind::refused with clear text. Changes
  // nothing.
  Result<void> try_it(const AdoptionProbeRequest& request);
  // What the new driver shows of the dataset. Kind::refused: it cannot be adopted, or the driver cannot
  // attach it; Kind::mismatch: the driver mounts another path; Kind::stopped: it did not come to it, or
  // something is left behind (which must go before the adoption: the driver knows both volumes by one
  // handle). What a killed probe of the same old volume left is removed first; the caller holds that
  // volume's lock.
  Result<AdoptionSight> run(const AdoptionProbeRequest& request);
  // Removes what a killed probe of this old volume left. True: nothing is there any more (or, when
  // interrupted: everything is on its way out).
  bool remove_remains(const AdoptionProbeRequest& request);

  std::function<void(const std::string& line)> on_line;
  // Called about once a second: for whoever must not look away meanwhile.
  std::function<void()> on_look;

 private:
  // Objects of a probe that are still there: untouched ones, and those that are being deleted.
  struct Remains {
    std::size_t standing = 0, leaving = 0;
  };
  Result<AdoptionSight> look(const AdoptionProbeRequest& request);
  Result<void> make_volume(const AdoptionProbeRequest& request);
  Result<void> make_claim(const AdoptionProbeRequest& request);
  Result<void> wait_bound(const AdoptionProbeRequest& request);
  void nudge(const json::Value& claim);
  Result<void> see_attachment(const AdoptionProbeRequest& request, AdoptionSight& sight) const;

  Result<Remains> sweep(const AdoptionProbeRequest& request);
  Result<json::Value> retained(const json::Value& volume);
  Result<void> remove_claim(const json::Value& claim, Remains& remains);
  Result<void> remove_pods(const std::string& ns, const std::string& claim, Remains& remains);
  void say(const std::string& line) const {
    if (on_line) on_line(line);
  }

  kube::Reader reader_;
  kube::Writer writer_;
  MoverProgram program_;
  Clock* clock_;
};

// Both the volume's and the claim's; the same for the same old volume every time.
std::string adoption_probe_name(const AdoptionProbeRequest& request);
std::string adoption_probe_name(std::string_view old_volume_uid);
Result<json::Value> adoption_probe_volume(const AdoptionProbeRequest& request);
json::Value adoption_probe_claim(const AdoptionProbeRequest& request);
// Label selector for everything that a probe of this old volume has made.
std::string adoption_probe_selector(const AdoptionProbeRequest& request);
MoverRequest adoption_probe_mover(const AdoptionProbeRequest& request);
// What a probe needs in namespace `ns` and beyond it.
std::vector<kube::Permission> adoption_probe_permissions(std::string_view ns);

}  // namespace truenas::workflow
