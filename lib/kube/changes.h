#pragma once
// Changes: whether anything has happened to some objects since somebody looked at them, from one watch a kind
// that all who ask share. It never says what an object is like, nor that one is gone: it only saves a look
// that would find what the last one found. Whatever is not known counts as a change.

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "lib/kube/reader.h"

namespace truenas::kube {

class Changes {
 public:
  // A moment in the order of what was heard.
  using Mark = std::uint64_t;

  using OwnPod = std::function<bool(const json::Value& pod)>;

  // The session must outlive it. `own` tells the Pods that are nobody's use of a claim.
  explicit Changes(Session& session, OwnPod own = {}) : session_(&session), own_(std::move(own)) {}
  // Ends all watches.
  ~Changes();
  Changes(const Changes&) = delete;
  Changes& operator=(const Changes&) = delete;

  // Begins to watch a kind in a namespace ("": everywhere), unless it does. Where the user may not watch,
  // nothing is ever known. Thread-safe, as all that follows.
  void follow(const ResourceType& type, const std::string& ns);
  // Take it BEFORE the look that a later question is about.
  Mark mark() const;
  // True when every watch of this namespace and every cluster-wide one has stood since `mark`, and none has
  // brought news of these topics. The news may be on its way: true for a while at most, so look all the same
  // now and then.
  bool quiet_since(Mark mark, const std::string& ns, const std::vector<std::string>& topics) const;
  // True when a Pod of somebody's that mounts the claim, or is to, was heard of as made or changed after
  // `mark`: also one that had gone again before anybody looked. False says nothing.
  bool used_since(Mark mark, const std::string& ns, const std::string& claim) const;

  // What an object's event is about: itself, and the claims or the volume that it uses. Pure.
  static std::string topic(const ResourceType& type, std::string_view ns, std::string_view name);
  static std::vector<std::string> topics_of(const ResourceType& type, const json::Value& object);

 private:
  struct Followed {
    ResourceType type;
    std::string ns;
    Mark stands_since = 0;  // 0: it does not stand
    std::jthread thread;
  };
  // One round: from the version of now until the watch ends. False: it will never work.
  bool watch(Followed& followed);
  void stands(Followed& followed, bool yes);
  void note_news(const ResourceType& type, const WatchEvent& event);
  bool ended() const { return ended_; }

  Session* session_;
  OwnPod own_;
  std::atomic<bool> ended_ = false;
  mutable std::mutex mutex_;  // of what follows
  Mark now_ = 1;
  std::map<std::string, Mark> news_;  // by topic: when it was last heard of
  std::map<std::string, Mark> uses_;  // by a claim's topic: when a Pod on it was last heard of
  std::list<Followed> followed_;
};

}  // namespace truenas::kube
