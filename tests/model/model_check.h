#pragma once
// Model check: walks every world that a workflow can get into, breadth-first, when each step works, is cut
// short or loses its reply, the process dies, or somebody else interferes at any moment. It uses the
// workflow's real next(), project() and check(), and nothing of run(): it is about the decisions, not the
// loop. It must not know any domain; what a crash forgets and what others may do comes from the test.

#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "lib/engine/workflow.h"

namespace truenas::model {

// A world and the few words on how it came about ("somebody deletes claim pg-2").
template <class W>
struct Variation {
  std::string label;
  W world;
};

template <class W>
struct Model {
  const engine::Workflow<W>& workflow;
  std::vector<Variation<W>> starts;
  // Equal texts are equal worlds: everything that next, project, check or the functions below look at.
  std::function<std::string(const W&)> fingerprint;

  // All optional. What remains of a world when this process dies and another one begins: the default is all.
  std::function<W(W)> restarted;
  // Worlds after a crash in the middle of a step that has several effects.
  std::function<std::vector<Variation<W>>(const W&, const engine::Step&)> partial;
  // Other ways in which what is waited for may turn out (the join fails, the Pod is evicted).
  std::function<std::vector<Variation<W>>(const W&, const engine::Wait&)> otherwise;
  // What somebody else may change at this moment.
  std::function<std::vector<Variation<W>>(const W&)> foreign;
  // What a world in which the workflow says Done must fulfil beyond the invariant.
  std::function<std::vector<engine::Violation>(const W&)> when_done;

  int foreign_limit = 1;           // changes by others on one path
  std::size_t chain_limit = 1000;  // undisturbed decisions until Done or Blocked
  std::size_t world_limit = 2'000'000;
};

struct ModelReport {
  std::size_t worlds = 0, transitions = 0;
  std::size_t done = 0, blocked = 0;
  std::size_t broken_by_others = 0;  // worlds in which the change itself broke the invariant: the run stops
  std::size_t longest_chain = 0;
  std::string failure;  // "" when everything holds; else what is wrong, and the path of decisions to it
  bool ok() const { return failure.empty(); }
};

template <class W>
class ModelChecker {
 public:
  explicit ModelChecker(const Model<W>& model) : model_(model) {}

  ModelReport check() {
    queues_.resize(static_cast<std::size_t>(model_.foreign_limit) + 1);
    for (const auto& start : model_.starts) reach(start.world, k_none, "start: " + start.label, 0, false);
    // Fewest foreign changes first, so that a world is expanded with the most freedom left.
    for (std::size_t used = 0; used < queues_.size(); ++used) {
      while (!queues_[used].empty() && report_.ok()) {
        const std::size_t node = queues_[used].front();
        queues_[used].pop_front();
        expand(node);
      }
    }
    if (report_.ok()) check_chains();
    report_.worlds = nodes_.size();
    return report_;
  }

 private:
  static constexpr std::size_t k_none = static_cast<std::size_t>(-1);
  struct Node {
    W world;
    std::size_t parent;
    std::string label;
    std::size_t used;             // foreign changes on the way
    std::size_t worked = k_none;  // the world after the decision has worked; none at an end
    bool ends = false;
    bool broken = false;  // by a change of somebody else
    std::string decision;
  };

  std::string path_to(std::size_t node) const {
    std::vector<std::size_t> way;
    for (std::size_t at = node; at != k_none; at = nodes_[at].parent) way.push_back(at);
    std::string text;
    for (auto at = way.rbegin(); at != way.rend(); ++at) text += "\n  " + nodes_[*at].label;
    return text;
  }

  void fail(std::size_t node, const std::string& what) {
    if (report_.ok())
      report_.failure = what + path_to(node) + "\n  in world: " + model_.fingerprint(nodes_[node].world);
  }

  static std::string name(const std::vector<engine::Violation>& violations) {
    std::string text;
    for (const auto& violation : violations) {
      text += (text.empty() ? "" : "; ") + violation.rule + " (" + violation.detail + ")";
    }
    return text;
  }

  // Returns the node of this world, made and queued if it is new.
  std::size_t reach(const W& world, std::size_t parent, std::string label, std::size_t used, bool foreign) {
    ++report_.transitions;
    const auto [found, fresh] = index_.try_emplace(model_.fingerprint(world), nodes_.size());
    if (!fresh) {
      if (nodes_[found->second].broken && !foreign) {
        fail(parent, "the invariant is broken by " + label + ": " + name(model_.workflow.check(world)));
      }
      return found->second;
    }
    const std::size_t node = nodes_.size();
    nodes_.push_back(Node{world, parent, std::move(label), used, k_none, false, false, ""});
    if (nodes_.size() > model_.world_limit) {
      fail(node, "more worlds than " + std::to_string(model_.world_limit));
    } else if (const auto violations = model_.workflow.check(world); violations.empty()) {
      queues_[used].push_back(node);
    } else if (foreign) {
      ++report_.broken_by_others;
      nodes_[node].ends = nodes_[node].broken = true;
    } else {
      fail(node, "the invariant is broken: " + name(violations));
    }
    return node;
  }

  void expand(std::size_t node) {
    const W& world = nodes_[node].world;  // a deque: stays where it is while nodes_ grows
    const std::size_t used = nodes_[node].used;
    if (model_.restarted) reach(model_.restarted(world), node, "the process dies", used, false);
    const engine::Next next = model_.workflow.next(world);
    std::visit([&](const auto& decision) { follow(node, world, decision); }, next);
    if (!model_.foreign || used + 1 >= queues_.size()) return;
    for (const auto& change : model_.foreign(world)) {
      reach(change.world, node, "somebody else: " + change.label, used + 1, true);
    }
  }

  void follow(std::size_t node, const W& world, const engine::Step& step) {
    work(node, world, step, "step: " + step.id);
    if (!model_.partial) return;
    for (const auto& part : model_.partial(world, step)) {
      after_crash(node, part.world, "step " + step.id + " cut short: " + part.label);
    }
  }

  void follow(std::size_t node, const W& world, const engine::Wait& wait) {
    work(node, world, wait, "wait: " + wait.id);
    if (wait.nudge) {
      const W nudged = model_.workflow.project(world, *wait.nudge);
      reach(nudged, node, "nudge: " + wait.nudge->id, nodes_[node].used, false);
      after_crash(node, nudged, "nudge, then the process dies: " + wait.nudge->id);
    }
    if (!model_.otherwise) return;
    for (const auto& turn : model_.otherwise(world, wait)) {
      reach(turn.world, node, "wait " + wait.id + ": " + turn.label, nodes_[node].used, false);
    }
  }

  void follow(std::size_t node, const W& world, const engine::Done&) {
    ++report_.done;
    nodes_[node].ends = true;
    if (!model_.when_done) return;
    if (const auto lacks = model_.when_done(world); !lacks.empty()) {
      fail(node, "done, but not true at the end: " + name(lacks));
    }
  }

  void follow(std::size_t node, const W&, const engine::Blocked&) {
    ++report_.blocked;
    nodes_[node].ends = true;
  }

  // Worked, and the same with the process dying before it saw so (which is what a lost reply comes to).
  void work(std::size_t node, const W& world, const engine::Next& decision, const std::string& label) {
    const W after = model_.workflow.project(world, decision);
    nodes_[node].decision = label;
    const std::size_t worked = reach(after, node, label, nodes_[node].used, false);
    nodes_[node].worked = worked;
    if (model_.restarted) after_crash(node, after, label + ", then the process dies");
  }

  void after_crash(std::size_t node, const W& world, const std::string& label) {
    reach(model_.restarted ? model_.restarted(world) : world, node, label, nodes_[node].used, false);
  }

  // Each world has one undisturbed successor: follow them all, every world once.
  void check_chains() {
    std::vector<std::size_t> length(nodes_.size(), k_none);
    for (std::size_t start = 0; start < nodes_.size() && report_.ok(); ++start) {
      std::vector<std::size_t> chain;
      std::unordered_map<std::size_t, std::size_t> place;
      std::size_t at = start;
      while (length[at] == k_none && !nodes_[at].ends) {
        if (const auto [seen, fresh] = place.try_emplace(at, chain.size()); !fresh) {
          std::string cycle;
          for (std::size_t i = seen->second; i < chain.size(); ++i)
            cycle += "\n    " + nodes_[chain[i]].decision;
          fail(at, "the decisions go round in a cycle:" + cycle + "\n  reached by");
          return;
        }
        chain.push_back(at);
        at = nodes_[at].worked;
      }
      if (nodes_[at].ends) length[at] = 0;
      for (std::size_t i = chain.size(); i-- > 0;) length[chain[i]] = length[at] + chain.size() - i;
      if (length[start] > report_.longest_chain) report_.longest_chain = length[start];
      if (length[start] > model_.chain_limit) {
        fail(start, "no end within " + std::to_string(model_.chain_limit) + " decisions");
      }
    }
  }

  const Model<W>& model_;
  std::deque<Node> nodes_;
  std::unordered_map<std::string, std::size_t> index_;
  std::vector<std::deque<std::size_t>> queues_;  // by foreign changes used
  ModelReport report_;
};

template <class W>
ModelReport check_model(const Model<W>& model) {
  return ModelChecker<W>(model).check();
}

}  // namespace truenas::model
