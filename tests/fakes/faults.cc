#include "tests/fakes/faults.h"

#include "tests/fakes/status_reply.h"

namespace truenas::fakes {
namespace {

Fault make(Fault::Kind kind, std::function<bool(const Seen&)> when) {
  Fault fault;
  fault.kind = kind;
  fault.when = std::move(when);
  return fault;
}

}  // namespace

std::function<bool(const Seen&)> write_number(std::size_t k) {
  return [k](const Seen& seen) { return seen.write == k; };
}

std::function<bool(const Seen&)> request_number(std::size_t k) {
  return [k](const Seen& seen) { return seen.request == k; };
}

std::function<bool(const Seen&)> request_to(std::string method, std::string part) {
  return [method = std::move(method), part = std::move(part)](const Seen& seen) {
    return (method.empty() || seen.what.method == method) && seen.what.target.find(part) != std::string::npos;
  };
}

Fault refuse(std::function<bool(const Seen&)> when) {
  return make(Fault::Kind::refuse, std::move(when));
}
Fault drop_reply(std::function<bool(const Seen&)> when) {
  return make(Fault::Kind::drop_reply, std::move(when));
}

Fault answer(std::function<bool(const Seen&)> when, http::Response reply) {
  Fault fault = make(Fault::Kind::answer, std::move(when));
  fault.reply = std::move(reply);
  return fault;
}

Fault before(std::function<bool(const Seen&)> when, std::function<void()> change) {
  Fault fault = make(Fault::Kind::before, std::move(when));
  fault.change = std::move(change);
  return fault;
}

Fault after(std::function<bool(const Seen&)> when, std::function<void()> change) {
  Fault fault = make(Fault::Kind::after, std::move(when));
  fault.change = std::move(change);
  return fault;
}

http::Response too_many_requests(int retry_after_seconds) {
  http::Response response = failure(429, "TooManyRequests", "too many requests, please try again later");
  response.headers.emplace_back("Retry-After", std::to_string(retry_after_seconds));
  return response;
}

http::Response internal_error() {
  return failure(500, "InternalError", "Internal error occurred: a fake fault");
}

const Fault* Faults::strike(const Seen& seen) {
  for (Fault& fault : faults_) {
    if (fault.times == 0 || !fault.when(seen)) continue;
    if (fault.times > 0) --fault.times;
    return &fault;
  }
  return nullptr;
}

}  // namespace truenas::fakes
