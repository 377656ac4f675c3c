#pragma once
// What a failure answer means: Coder's own ({"message", "detail", "validations"}), or that of a proxy in
// front of it, which proves nothing about Coder. Pure. Private to lib/coder.

#include <optional>

#include "lib/coder/server_session.h"

namespace truenas::coder {

// The Error of an answer that is no 2xx.
Error server_failure(const ServerCall& call, const ServerSessionOptions& options,
                     const http::Response& response);
// True when Coder itself answered that it has no such endpoint (an older or smaller Coder).
bool lacks_endpoint(const Error& error);
// How long to wait before sending again after this answer, `retries` having been made; nullopt: do not.
std::optional<Milliseconds> wait_after(const ServerCall& call, const http::Response& response, int retries);

}  // namespace truenas::coder
