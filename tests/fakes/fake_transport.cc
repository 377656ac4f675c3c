#include "tests/fakes/fake_transport.h"

#include <algorithm>
#include <charconv>

namespace truenas::fakes {
namespace {

constexpr Milliseconds k_tick{1000};

class NoCredentials final : public kube::CredentialSource {
 public:
  Result<Secret> authorization() override { return Secret(); }
};

// Seconds that a watch may stay open; 0 when the request is no watch.
long watch_seconds(const http::Request& request) {
  const auto path = parse_api_path(request.target);
  if (!path || path->parameter("watch") != "true") return 0;
  long seconds = 1;
  const std::string& text = path->parameter("timeoutSeconds");
  std::from_chars(text.data(), text.data() + text.size(), seconds);
  return std::max(seconds, 1L);
}

}  // namespace

Milliseconds FakeClock::steady() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return cluster_.elapsed() + rest_;
}

std::chrono::microseconds FakeClock::wall() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return cluster_.wall() + rest_;
}

Result<void> FakeClock::sleep(Milliseconds duration) {
  if (on_sleep) TM_TRY(on_sleep());
  Milliseconds due{0};
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    rest_ += std::max(duration, Milliseconds(1));
    due = rest_ / k_tick.count();
    rest_ %= k_tick.count();
  }
  cluster_.tick(static_cast<int>(due.count()));
  return {};
}

Result<http::Response> FakeTransport::exchange(const http::Request& request) {
  Exchange exchange = cluster_.exchange(request);
  switch (exchange.end) {
    case Exchange::End::refused:
      return make_error(
          Kind::unavailable,
          "the connection to the server fake:6443 was refused - did you specify the right host or port?");
    case Exchange::End::dropped:
      return make_error(request.method == "GET" ? Kind::unavailable : Kind::outcome_unknown,
                        "unable to connect to the server: the connection ended before a reply came");
    case Exchange::End::replied:
      break;
  }
  return std::move(exchange.response);
}

Result<http::Response> FakeTransport::send(const http::Request& request, const http::BodySink& sink) {
  Result<http::Response> response = exchange(request);
  for (long left = clock_ != nullptr ? watch_seconds(request) : 0;
       left > 0 && response.ok() && response->status == 200 && response->body.empty(); --left) {
    TM_TRY(clock_->sleep(k_tick));
    response = cluster_.handle(request);
  }
  if (!response.ok() || !sink || response->status / 100 != 2) return response;
  // In pieces of odd sizes: whoever takes them must not care where they end.
  const std::string body = std::move(response->body);
  response->body.clear();
  for (std::size_t at = 0, size = 1; at < body.size(); at += size, size = size * 3 % 4093 + 7) {
    TM_TRY(sink(std::string_view(body).substr(at, size)));
  }
  return response;
}

Result<http::Upgrade> FakeTransport::upgrade(const http::Request& request,
                                             const std::vector<std::string>& protocols) {
  return http::Upgrade(cluster_.upgrade(request, protocols));
}

std::unique_ptr<kube::Session> make_session(FakeCluster& cluster, FakeClock& clock) {
  kube::SessionOptions options;
  options.qps = 0;
  options.server = "https://fake:6443";
  return std::make_unique<kube::Session>(std::make_unique<FakeTransport>(cluster, &clock),
                                         std::make_unique<NoCredentials>(), std::move(options), clock);
}

kube::Permit any_permit() {
  kube::Permit permit;
  permit.still_granted = [] { return Result<void>(); };
  return permit;
}

kube::Permit permit_for(std::size_t writes) {
  kube::Permit permit;
  permit.still_granted = [left = std::make_shared<std::size_t>(writes)]() -> Result<void> {
    if (*left == 0) return make_error(Kind::locked, "killed");
    --*left;
    return {};
  };
  return permit;
}

}  // namespace truenas::fakes
