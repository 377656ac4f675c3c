#pragma once
// Whether and when a call is tried again (Y1, Y2): a pure decision, so that tests need no server. It must
// never let a write be repeated whose reply was lost.

#include <optional>

#include "lib/base/clock.h"
#include "lib/http/transport.h"
#include "lib/kube/session.h"

namespace truenas::kube {

inline constexpr int k_max_retries = 10;  // Y1
// A server that asks for longer than this is not waited for: the error says how long.
inline constexpr Seconds k_longest_retry_after{300};

// Retry-After in whole seconds; nullopt when absent or a date (Y1).
std::optional<Seconds> retry_after_of(const http::Response& response);
// Y1: how long to wait before sending again after this answer, for any verb; nullopt: do not. `retries`
// counts those already made.
std::optional<Milliseconds> wait_after_answer(const http::Response& response, int retries);
// Y2: the same when no answer came. Only a GET whose connection broke, and only while none of its body has
// been handed on: what a sink has seen cannot be taken back. A connection that was never made is not retried.
std::optional<Milliseconds> wait_after_failure(const Call& call, const Error& failure, bool body_handed_on,
                                               int retries);
// Y3: "<last> - error from a previous attempt: <previous>"; `last` alone when they say the same.
Error with_previous(Error last, const std::optional<Error>& previous);

}  // namespace truenas::kube
