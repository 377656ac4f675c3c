#include "lib/kube/retry.h"

#include <charconv>

#include "lib/base/text.h"

namespace truenas::kube {

std::optional<Seconds> retry_after_of(const http::Response& response) {
  const std::string header = response.header("Retry-After");
  const std::string_view text = trim(header);
  std::int64_t seconds = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (text.empty() || problem != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return Seconds(seconds < 0 ? 0 : seconds);
}

std::optional<Milliseconds> wait_after_answer(const http::Response& response, int retries) {
  if (response.status != 429 && response.status < 500) return std::nullopt;
  const std::optional<Seconds> wait = retry_after_of(response);
  if (!wait || *wait > k_longest_retry_after || retries >= k_max_retries) return std::nullopt;
  return *wait;
}

std::optional<Milliseconds> wait_after_failure(const Call& call, const Error& failure, bool body_handed_on,
                                               int retries) {
  // A watch knows how to go on from where it was; it must not begin again here.
  if (call.method != "GET" || !call.read_only || call.watch) return std::nullopt;
  if (failure.kind != Kind::unavailable || body_handed_on || retries >= k_max_retries) return std::nullopt;
  // A server that is not there, or silent, is so a second later too; client-go says so at once.
  if (!http::connection_broke(failure)) return std::nullopt;
  return Seconds(1);
}

Error with_previous(Error last, const std::optional<Error>& previous) {
  if (previous && previous->what != last.what)
    last.what += " - error from a previous attempt: " + previous->what;
  return last;
}

}  // namespace truenas::kube
