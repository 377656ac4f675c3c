// Watches (W1-W7): one stream of events over as many connections as it takes.

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/text.h"
#include "lib/json/stream.h"
#include "lib/kube/reader.h"
#include "lib/kube/reader_internal.h"

namespace truenas::kube {
namespace {

constexpr Seconds k_connection{300};        // timeoutSeconds; the server ends the connection then (W2)
constexpr Seconds k_connection_grace{15};   // how much longer we listen before we end it ourselves
constexpr Milliseconds k_first_pause{800};  // W3: the reflector's backoff
constexpr Milliseconds k_longest_pause{30000};
constexpr Milliseconds k_least_pause{1000};  // between two connections that brought nothing
constexpr Milliseconds k_healthy{120000};    // a connection of this length forgives what was before it

using OnEvent = std::function<Result<bool>(const WatchEvent&)>;

bool means_gone(const Status& status) {
  return status.code == 410 || status.reason == "Expired" || status.reason == "Gone";
}

class Watching {
 public:
  Watching(Session& session, Call call, std::string resource_version, Milliseconds deadline,
           const OnEvent& on_event)
      : session_(session),
        clock_(session.clock()),
        call_(std::move(call)),
        resource_version_(std::move(resource_version)),
        end_(clock_.steady() + deadline),
        on_event_(on_event) {}

  Result<void> run() {
    while (!ended_ && clock_.steady() < end_) {
      const Milliseconds start = clock_.steady();
      brought_events_ = false;
      Milliseconds pause = connect();
      const Milliseconds lasted = clock_.steady() - start;
      if (ended_) break;
      if (lasted >= k_healthy || brought_events_) backoff_ = k_first_pause;
      if (pause.count() == 0 && !brought_events_ && lasted < k_least_pause) pause = k_least_pause;
      pause = std::min(pause, end_ - clock_.steady());
      if (pause.count() > 0) TM_TRY(clock_.sleep(pause));
    }
    return verdict_;
  }

 private:
  // Ends the watch with `verdict`; the Error returned only serves to end the exchange.
  Error end(Result<void> verdict) {
    ended_ = true;
    verdict_ = std::move(verdict);
    return make_error(Kind::interrupted, "the watch has ended");
  }

  Error not_an_event() const {
    return make_error(Kind::format, fmt::format("reply to {}: not a watch event", call_.what));
  }

  Milliseconds next_pause(Milliseconds least = Milliseconds(0)) {
    const Milliseconds pause = std::max(backoff_, least);
    backoff_ = std::min(backoff_ * 2, k_longest_pause);
    return pause;
  }

  // One connection; returns how long to wait before the next.
  Milliseconds connect() {
    const Milliseconds left = end_ - clock_.steady();
    const Seconds asked = std::clamp(std::chrono::ceil<Seconds>(left), Seconds(1), k_connection);
    Call call = call_;
    call.query.emplace_back("resourceVersion", resource_version_);
    call.query.emplace_back("timeoutSeconds", std::to_string(asked.count()));
    call.timeout = std::min<Milliseconds>(left, asked + k_connection_grace);
    error_event_.reset();
    json::ConcatenatedReader reader("reply to " + call.what,
                                    [&](json::Value value) { return accept(value); });
    Status status;
    const auto feed = [&](std::string_view piece) -> Result<void> {
      // Of a page of text the end would never come, so it must not wait for one.
      if (reader.at_boundary() && !trim(piece).empty() && trim(piece).front() != '{')
        return end(not_an_event());
      return reader.feed(piece);
    };
    const Result<http::Response> reply = session_.call(call, feed, &status);
    if (ended_) return Milliseconds(0);
    if (error_event_) return judge(*error_event_, status_error(*error_event_, call));
    if (!reply.ok()) return judge(status, reply.error());
    was_connected_ = true;
    return reader.at_boundary() ? Milliseconds(0) : next_pause();  // a cut event is sent again
  }

  // A connection that failed, or an ERROR event (W3).
  Milliseconds judge(const Status& status, const Error& error) {
    if (means_gone(status)) {
      if (!deliver({WatchEvent::Type::gone, status.body}).ok()) return Milliseconds(0);
      end({});
      return Milliseconds(0);
    }
    // A credential that ran out during the watch: the next request asks for a fresh one (E7).
    const bool try_credential = error.kind == Kind::auth && status.code == 401 && was_connected_;
    const bool try_again = error.kind == Kind::unavailable || try_credential || error_event_.has_value();
    const bool forbidden = error.kind == Kind::auth && !try_credential;
    if (!try_again || forbidden) {
      end(error);
      return Milliseconds(0);
    }
    was_connected_ = was_connected_ && !try_credential;
    return next_pause(std::max<Milliseconds>(retry_after_of(status), k_least_pause));
  }

  Result<void> deliver(const WatchEvent& event) {
    Result<bool> go_on = on_event_(event);
    if (!go_on.ok()) return end(std::move(go_on).take_error());
    if (!*go_on) return end({});
    return {};
  }

  Result<void> accept(json::Value& value) {
    const std::string type = value.text_at("/type");
    const json::Value* found = value.find("object");
    const json::Value object = found == nullptr ? json::Value() : *found;
    if (type == "ERROR" || is_failure(value)) {
      error_event_ = read_status_object(type == "ERROR" ? object : value);
      return make_error(Kind::unavailable, "the watch reported an error");
    }
    WatchEvent event;
    event.object = object;
    if (type == "ADDED") {
      event.type = WatchEvent::Type::added;
    } else if (type == "MODIFIED") {
      event.type = WatchEvent::Type::modified;
    } else if (type == "DELETED") {
      event.type = WatchEvent::Type::deleted;
    } else if (type == "BOOKMARK") {
      event.type = WatchEvent::Type::bookmark;
    } else {
      return end(not_an_event());
    }
    brought_events_ = was_connected_ = true;
    TM_TRY(deliver(event));
    // Only now: an event that was not taken in must come again.
    const std::string& seen = object.text_at("/metadata/resourceVersion");
    if (!seen.empty()) resource_version_ = seen;
    return {};
  }

  Session& session_;
  Clock& clock_;
  const Call call_;
  std::string resource_version_;
  const Milliseconds end_;
  const OnEvent& on_event_;
  Milliseconds backoff_ = k_first_pause;
  bool ended_ = false;
  bool brought_events_ = false;
  bool was_connected_ = false;
  std::optional<Status> error_event_;
  Result<void> verdict_;
};

}  // namespace

bool ended(const WatchEvent& event, std::string_view name, std::string_view uid) {
  if (event.type == WatchEvent::Type::bookmark || event.type == WatchEvent::Type::gone) return false;
  const Identity identity = identity_of(event.object);
  if (identity.name != name) return false;
  return identity.uid == uid ? event.type == WatchEvent::Type::deleted
                             : event.type != WatchEvent::Type::deleted;
}

Result<void> Reader::watch(const ResourceType& type, std::string_view ns, const ListOptions& options,
                           std::string resource_version, Milliseconds deadline,
                           const OnEvent& on_event) const {
  Call call;
  call.what = call_name("watch", type, ns, "");
  if (resource_version.empty() || resource_version == "0") {
    return make_error(Kind::bug, fmt::format("cannot {}: no resourceVersion to start from", call.what));
  }
  TM_TRY_ASSIGN(call.path, resource_path(type, ns, ""));
  add_selectors(call, options);
  call.query.emplace_back("watch", "true");
  call.query.emplace_back("allowWatchBookmarks", "true");
  call.watch = true;
  call.stall = k_connection + k_connection_grace;  // endless: a request to stop ends it at once
  call.compressed = false;                         // H6
  return Watching(*session_, std::move(call), std::move(resource_version), deadline, on_event).run();
}

}  // namespace truenas::kube
