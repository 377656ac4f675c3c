#pragma once
// The -v log of requests (O12), in kubectl's shape: 6 method, URL, status, time; 7 also request headers; 8
// also response headers, and bodies cut at 1024 bytes; 9 as a curl command, bodies cut at 10240; 10 uncut.
// Pure: lines in, lines out. It must never show a credential, nor the body of a Secret at any level.

#include <string>
#include <string_view>
#include <vector>

#include "lib/http/transport.h"

namespace truenas::kube {

// "Bearer <masked>", "Basic <masked>", else "<masked>"; "" stays "".
std::string masked_authorization(const Secret& authorization);
// How many bytes of a body are shown at this level: 0 below 8. Callers that stream need keep no more.
std::size_t shown_body_bytes(int verbosity);
// Lines before a request is sent; `origin` is "https://host:port".
std::vector<std::string> render_request(const http::Request& request, std::string_view origin, int verbosity);
// Lines after its answer; `body` is what arrived of it, as far as it was kept.
std::vector<std::string> render_response(const http::Request& request, std::string_view origin,
                                         const http::Response& response, std::string_view body,
                                         Milliseconds took, int verbosity);
// Lines after a request that got no answer.
std::vector<std::string> render_failure(const http::Request& request, std::string_view origin,
                                        const Error& failure, Milliseconds took, int verbosity);

}  // namespace truenas::kube
