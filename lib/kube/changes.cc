#include "lib/kube/changes.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/thread_stop.h"

namespace truenas::kube {
namespace {

// A name that no object has: such a list is empty and still says the version of now.
constexpr const char* k_nobody = "metadata.name=truenas-migrate.nobody";
constexpr Milliseconds k_try_again{15000};
constexpr Milliseconds k_long{std::chrono::hours(24)};

void add_claims(const json::Value* pod_spec, const std::string& ns, std::vector<std::string>& topics) {
  if (pod_spec == nullptr) return;
  for (const std::string& claim : mounted_claims(*pod_spec)) {
    topics.push_back(Changes::topic(k_claim, ns, claim));
  }
}

// Trying again does not help: the user may not, or the server has no such kind.
bool is_hopeless(const Error& error) {
  return error.kind != Kind::unavailable && error.kind != Kind::format;
}

}  // namespace

std::string Changes::topic(const ResourceType& type, std::string_view ns, std::string_view name) {
  return fmt::format("{}/{}/{}", type.plural, type.namespaced ? ns : "", name);
}

std::vector<std::string> Changes::topics_of(const ResourceType& type, const json::Value& object) {
  const Identity identity = identity_of(object);
  std::vector<std::string> topics = {topic(type, identity.ns, identity.name)};
  add_claims(object.at("/spec/template/spec"), identity.ns, topics);
  if (type.plural == k_pod.plural) add_claims(object.at("/spec"), identity.ns, topics);
  const std::string& attached = object.text_at("/spec/source/persistentVolumeName");
  if (!attached.empty()) topics.push_back(topic(k_volume, "", attached));
  return topics;
}

Changes::~Changes() {
  ended_ = true;
  for (Followed& followed : followed_) {
    if (followed.thread.joinable()) followed.thread.join();
  }
}

void Changes::follow(const ResourceType& type, const std::string& ns) {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const Followed& followed : followed_) {
    if (followed.type.plural == type.plural && followed.ns == ns) return;
  }
  Followed& followed = followed_.emplace_back();
  followed.type = type;
  followed.ns = ns;
  followed.thread = std::jthread([this, &followed] {
    const ThreadStop stop(ended_);
    while (!ended() && watch(followed)) {
      if (!session_->clock().sleep(k_try_again).ok()) return;
    }
  });
}

Changes::Mark Changes::mark() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return now_;
}

void Changes::stands(Followed& followed, bool yes) {
  const std::lock_guard<std::mutex> lock(mutex_);
  followed.stands_since = yes ? ++now_ : 0;
}

bool Changes::watch(Followed& followed) {
  const Reader reader(*session_);
  ListOptions options;
  options.field_selector = k_nobody;
  ItemSink nobody;
  nobody.item = [](const json::Value&) { return Result<void>(); };
  nobody.restart = [] {};
  const Result<std::string> version = reader.list(followed.type, followed.ns, options, nobody);
  if (!version.ok()) return !is_hopeless(version.error());
  stands(followed, true);
  options.field_selector.clear();
  bool expired = false;
  const auto on_event = [&](const WatchEvent& event) -> Result<bool> {
    if (event.type == WatchEvent::Type::bookmark) return !ended();
    if (event.type == WatchEvent::Type::gone) {
      expired = true;
      return false;
    }
    note_news(followed.type, event);
    return !ended();
  };
  const Result<void> watched = reader.watch(followed.type, followed.ns, options, *version, k_long, on_event);
  stands(followed, false);
  return expired || watched.ok() || !is_hopeless(watched.error());
}

void Changes::note_news(const ResourceType& type, const WatchEvent& event) {
  const std::string& phase = event.object.text_at("/status/phase");
  const bool over = event.type == WatchEvent::Type::deleted || phase == "Succeeded" || phase == "Failed" ||
                    !event.object.text_at("/metadata/deletionTimestamp").empty();
  const bool uses = type.plural == k_pod.plural && !over && !(own_ && own_(event.object));
  const std::lock_guard<std::mutex> lock(mutex_);
  ++now_;
  for (const std::string& topic : topics_of(type, event.object)) {
    news_[topic] = now_;
    if (uses) uses_[topic] = now_;
  }
}

bool Changes::used_since(Mark mark, const std::string& ns, const std::string& claim) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto use = uses_.find(topic(k_claim, ns, claim));
  return use != uses_.end() && use->second > mark;
}

bool Changes::quiet_since(Mark mark, const std::string& ns, const std::vector<std::string>& topics) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  bool watched = false;
  for (const Followed& followed : followed_) {
    if (!followed.ns.empty() && followed.ns != ns) continue;
    if (followed.stands_since == 0 || followed.stands_since > mark) return false;
    watched = watched || followed.ns == ns;
  }
  return watched && std::all_of(topics.begin(), topics.end(), [&](const std::string& topic) {
           const auto news = news_.find(topic);
           return news == news_.end() || news->second <= mark;
         });
}

}  // namespace truenas::kube
