#include "tests/fakes/watch_stream.h"

#include "lib/json/value.h"
#include "tests/fakes/api_path.h"

namespace truenas::fakes {
namespace {

constexpr std::chrono::minutes k_longest{5};

// The resourceVersion of the last event; "" where there is none.
std::string newest_of(const std::string& events) {
  if (events.empty()) return "";
  const std::size_t line = events.size() < 2 ? std::string::npos : events.rfind('\n', events.size() - 2);
  const auto event = json::parse(events.substr(line == std::string::npos ? 0 : line + 1), "own event");
  return event.ok() ? event->text_at("/object/metadata/resourceVersion") : "";
}

}  // namespace

HttpServer::Rest follow_watch(FakeCluster& cluster, const http::Request& request, const http::Response& reply,
                              std::function<bool()> wait) {
  const auto path = parse_api_path(request.target);
  if (!path || path->parameter("watch") != "true" || reply.status != 200) return nullptr;
  const std::string asked = "resourceVersion=" + path->parameter("resourceVersion");
  const auto end = cluster.elapsed() + k_longest;
  return [&cluster, request, asked, end, wait = std::move(wait),
          seen = newest_of(reply.body)]() mutable -> std::optional<std::string> {
    if (!wait() || cluster.elapsed() >= end) return std::nullopt;
    http::Request next = request;
    const std::size_t at = next.target.find(asked);
    if (!seen.empty() && at != std::string::npos) {
      next.target.replace(at, asked.size(), "resourceVersion=" + seen);
    }
    std::string events = cluster.handle(next).body;
    if (const std::string newest = newest_of(events); !newest.empty()) seen = newest;
    return events;
  };
}

}  // namespace truenas::fakes
