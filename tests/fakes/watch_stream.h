#pragma once
// A watch over HttpServer: what happens after the first events, for as long as the watch may last.

#include <functional>

#include "tests/fakes/fake_cluster.h"
#include "tests/fakes/http_server.h"

namespace truenas::fakes {

// Null for a request that is no watch, or was refused. `wait` is called before each look; false ends it.
HttpServer::Rest follow_watch(FakeCluster& cluster, const http::Request& request, const http::Response& reply,
                              std::function<bool()> wait);

}  // namespace truenas::fakes
