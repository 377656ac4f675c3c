#pragma once
// Workflow: a migration as a pure function. observe() reads; next() decides; project() says what the world is
// like once that decision has worked; act() has exactly one effect. The engine unfolds (plan.h) or drives
// (run.h) it and knows no domain. A step's own return value is never its proof: the proof is that
// next(observe()) moves on.

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "lib/kube/writer.h"

namespace truenas::engine {

// One effect. Two steps are the same step when their ids are equal.
struct Step {
  std::string id;      // "retain persistentvolume/pvc-1"
  std::string verb;    // what act() branches on: "retain"
  std::string object;  // "persistentvolume pvc-1", for people and the audit log
  std::map<std::string, std::string> arguments;
  std::string title;      // one line of the plan: "set persistentvolume pvc-1 to Retain"
  std::string reason;     // why, one sentence
  std::string undo;       // what undoes it, one sentence; "" where nothing needs undoing
  Seconds deadline{120};  // the same step still asked for so long after it was first acted: stop (exit 5)
  int settle_polls = 1;   // act only when this many consecutive observations asked for it
  bool deletes = false;   // removes something that cannot be made again from what remains
  // What it makes is a note, or is cleaned away by the workflow itself: a refusal after it still changed
  // nothing.
  bool leaves_no_trace = false;
  bool can_be_tried = true;  // false: --dry-run=server cannot try it (exec; what an earlier step makes)
  bool operator==(const Step& other) const { return id == other.id; }
  // "" where it has none of that name.
  std::string argument(const std::string& name) const {
    const auto found = arguments.find(name);
    return found == arguments.end() ? std::string() : found->second;
  }
};

// Waiting for a neighbour (operator, binder, kubelet, user).
struct Wait {
  std::string id;    // equal ids are one wait, for its deadline
  std::string whom;  // "the CloudNativePG operator"
  std::string why;   // "instance coder-postgres-2 joins (pg_basebackup)"
  Seconds deadline{600};
  std::string object_ns, object_uid;  // whose events explain a long wait; "" for none
  std::optional<Step> nudge;          // an effect that helps when nothing moves
  Milliseconds nudge_after{10000};    // since the last change of `movement`
  std::string movement;               // a digest of what would change if anything moved
  Seconds nudge_every{0};             // 0: once for each value of `movement`
  bool hurried = false;               // somebody is kept waiting: looked at more often at first
};

struct Done {
  std::string summary;
};

// Cannot go on. kind: refused (a safety check: exit 4), mismatch, stopped, ...
struct Blocked {
  Kind kind = Kind::refused;
  std::string why;
  std::vector<std::string> hints;
};

using Next = std::variant<Step, Wait, Done, Blocked>;

// One broken promise about the user's data in one state of the world.
struct Violation {
  std::string rule;    // "every claim's bytes have a Retain home"
  std::string detail;  // the object and what was seen
};

template <class W>
class Workflow {
 public:
  using World = W;
  virtual ~Workflow() = default;
  virtual Result<World> observe() = 0;                             // reads only
  virtual Next next(const World& world) const = 0;                 // pure
  virtual World project(World world, const Next& next) const = 0;  // pure
  virtual Result<void> act(const Step& step, kube::Writer& writer) = 0;
  virtual std::vector<Violation> check(const World& world) const = 0;  // the invariant; pure
  virtual std::string progress(const World& world) const = 0;          // one line for people
};

}  // namespace truenas::engine
