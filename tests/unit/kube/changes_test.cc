// Changes: silence is only believed where a watch has stood all the while.

#include "lib/kube/changes.h"

#include <doctest/doctest.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "lib/base/interrupt.h"
#include "lib/json/value.h"
#include "lib/kube/resource.h"

namespace truenas::kube {
namespace {

using json::Value;

// A server that a test feeds while watches wait on it; real threads, no sleeping: whoever waits is woken.
class Feed final : public http::Transport {
 public:
  Result<http::Response> send(const http::Request& request, const http::BodySink& sink) override {
    const bool watch = request.target.find("watch=true") != std::string::npos;
    std::unique_lock<std::mutex> lock(mutex_);
    if (!watch) return answer_list(request, sink);
    if (status != 200) return http::Response{status, {}, ""};
    ++watching_;
    changed_.notify_all();
    while (true) {
      while (events_.empty() && !ends_) {
        if (interrupted()) {
          --watching_;
          return make_error(Kind::interrupted, "given up");
        }
        changed_.wait_for(lock, std::chrono::milliseconds(5));
      }
      if (events_.empty()) break;
      const std::string event = events_.front();
      events_.pop_front();
      lock.unlock();
      const Result<void> taken = sink(event);
      lock.lock();
      ++taken_;
      changed_.notify_all();
      if (!taken.ok()) break;
    }
    --watching_;
    ends_ = false;
    return http::Response{200, {}, ""};
  }
  Result<http::Upgrade> upgrade(const http::Request&, const std::vector<std::string>&) override {
    return make_error(Kind::bug, "nobody upgrades");
  }

  void wait_for_watches(int wanted) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return watching_ >= wanted; });
  }
  void wait_for_lists(int wanted) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return lists_ >= wanted; });
  }
  // Until some watch has taken it.
  void say(const std::string& event) {
    std::unique_lock<std::mutex> lock(mutex_);
    const int before = taken_;
    events_.push_back(event);
    changed_.notify_all();
    changed_.wait(lock, [&] { return taken_ > before; });
  }

  std::atomic<int> list_status = 200;
  int status = 200;

 private:
  Result<http::Response> answer_list(const http::Request&, const http::BodySink& sink) {
    ++lists_;
    changed_.notify_all();
    if (list_status != 200) {
      return http::Response{
          list_status, {}, R"({"kind":"Status","status":"Failure","code":403,"reason":"Forbidden"})"};
    }
    TM_TRY(sink(R"({"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"5"},"items":[]})"));
    return http::Response{200, {}, ""};
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> events_;
  int watching_ = 0, lists_ = 0, taken_ = 0;
  bool ends_ = false;
};

struct Site {
  Site() {
    auto transport = std::make_unique<Feed>();
    feed = transport.get();
    SessionOptions options;
    options.server = "https://example.test:6443";
    session.emplace(std::move(transport), nullptr, options, system_clock());
  }
  Feed* feed = nullptr;
  std::optional<Session> session;
};

std::string pod_event(const std::string& type, const std::string& name, const std::string& claim) {
  return R"({"type":")" + type + R"(","object":{"metadata":{"name":")" + name +
         R"(","namespace":"ns","resourceVersion":"9"},"spec":{"volumes":[{"name":"h","persistentVolumeClaim":{"claimName":")" +
         claim + "\"}}]}}}\n";
}

const std::vector<std::string> k_home = {Changes::topic(k_claim, "ns", "home")};

// Watches stand only once they have said so: asked until then.
Changes::Mark standing_mark(Site& site, const Changes& changes, const std::vector<std::string>& topics) {
  site.feed->wait_for_watches(1);
  Changes::Mark mark = changes.mark();
  while (!changes.quiet_since(mark, "ns", topics)) {
    std::this_thread::yield();
    mark = changes.mark();
  }
  return mark;
}

}  // namespace

TEST_CASE("what nobody watches is never quiet") {
  Site site;
  const Changes changes(*site.session);
  CHECK_FALSE(changes.quiet_since(changes.mark(), "ns", k_home));
}

TEST_CASE("news of a Pod are news of the claims that it mounts, and of no other") {
  Site site;
  Changes changes(*site.session);
  changes.follow(k_pod, "ns");
  const Changes::Mark mark = standing_mark(site, changes, k_home);
  site.feed->say(pod_event("ADDED", "p", "other"));
  CHECK(changes.quiet_since(mark, "ns", k_home));
  CHECK_FALSE(changes.quiet_since(mark, "ns", {Changes::topic(k_pod, "ns", "p")}));
  site.feed->say(pod_event("DELETED", "p", "home"));
  CHECK_FALSE(changes.quiet_since(mark, "ns", k_home));
  CHECK(changes.quiet_since(changes.mark(), "ns", k_home));
  CHECK_FALSE(changes.quiet_since(changes.mark(), "elsewhere", k_home));
}

TEST_CASE("a Pod that has come and gone again has used its claim") {
  Site site;
  Changes changes(*site.session, [](const Value& pod) { return pod.text_at("/metadata/name") == "mover"; });
  changes.follow(k_pod, "ns");
  Changes::Mark mark = standing_mark(site, changes, k_home);
  site.feed->say(pod_event("ADDED", "mover", "home"));
  site.feed->say(pod_event("DELETED", "last", "home"));
  site.feed->say(pod_event("ADDED", "p", "other"));
  CHECK_FALSE(changes.used_since(mark, "ns", "home"));
  site.feed->say(pod_event("ADDED", "p", "home"));
  site.feed->say(pod_event("DELETED", "p", "home"));
  CHECK(changes.used_since(mark, "ns", "home"));
  CHECK_FALSE(changes.used_since(mark, "elsewhere", "home"));
  mark = changes.mark();
  CHECK_FALSE(changes.used_since(mark, "ns", "home"));
}

TEST_CASE("one watch a kind and namespace, however often it is asked for") {
  Site site;
  Changes changes(*site.session);
  for (int i = 0; i < 50; ++i) changes.follow(k_pod, "ns");
  const Changes::Mark mark = standing_mark(site, changes, k_home);
  CHECK(changes.quiet_since(mark, "ns", k_home));
  changes.follow(k_volume, "");
  // Until the second one stands too, nothing is known of this namespace.
  site.feed->wait_for_watches(2);
  CHECK_FALSE(changes.quiet_since(mark, "ns", k_home));
}

TEST_CASE("a version that has expired is a change of everything, and the watch begins anew") {
  Site site;
  Changes changes(*site.session);
  changes.follow(k_pod, "ns");
  const Changes::Mark mark = standing_mark(site, changes, k_home);
  site.feed->say(
      R"({"type":"ERROR","object":{"kind":"Status","status":"Failure","code":410,"reason":"Expired"}})"
      "\n");
  while (changes.quiet_since(mark, "ns", k_home)) std::this_thread::yield();
  CHECK_FALSE(changes.quiet_since(mark, "ns", k_home));
}

TEST_CASE("who may not watch is told nothing, and nobody is asked again") {
  Site site;
  site.feed->list_status = 403;
  {
    Changes changes(*site.session);
    changes.follow(k_pod, "ns");
    site.feed->wait_for_lists(1);
    CHECK_FALSE(changes.quiet_since(changes.mark(), "ns", k_home));
  }
}

TEST_CASE("what an event is about") {
  const Value attachment =
      json::parse(R"({"metadata":{"name":"a"},"spec":{"source":{"persistentVolumeName":"pv"}}})", "test")
          .value();
  CHECK(Changes::topics_of(k_volume_attachment, attachment) ==
        std::vector<std::string>{"volumeattachments//a", "persistentvolumes//pv"});
  const Value deployment =
      json::parse(
          R"({"metadata":{"name":"d","namespace":"ns"},"spec":{"template":{"spec":{"volumes":[{"persistentVolumeClaim":{"claimName":"c"}}]}}}})",
          "test")
          .value();
  CHECK(Changes::topics_of(k_deployment, deployment) ==
        std::vector<std::string>{"deployments/ns/d", "persistentvolumeclaims/ns/c"});
}

}  // namespace truenas::kube
