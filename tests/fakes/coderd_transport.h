#pragma once
// Ways to the stand-in coderd and from it: an in-memory Transport, a session over it, and its door to a
// cluster.

#include <memory>

#include "lib/coder/server_session.h"
#include "lib/kube/session.h"
#include "tests/fakes/coderd.h"
#include "tests/fakes/fake_cluster.h"

namespace truenas::fakes {

class CoderdTransport final : public http::Transport {
 public:
  explicit CoderdTransport(Coderd& coder) : coder_(coder) {}
  Result<http::Response> send(const http::Request& request, const http::BodySink& sink = {}) override;
  Result<http::Upgrade> upgrade(const http::Request& request,
                                const std::vector<std::string>& protocols) override;

 private:
  Coderd& coder_;
};

// As the stand-in's first user, without a client-side rate limit.
std::unique_ptr<coder::ServerSession> make_server_session(Coderd& coder, Clock& clock,
                                                          const std::string& token = "coder-test-token");

// Past the cluster's faults and counters. Writes of claims are first asked of the cluster's access rules for
// the account (SubjectAccessReview, as a freeze by RBAC would have it); "" asks nothing.
ClusterDoor door_to(FakeCluster& cluster, const std::string& account = "system:serviceaccount:coder:coder");
// A real API server, by the plugin's own client; as whom is the session's business.
ClusterDoor door_to(kube::Session& session);

}  // namespace truenas::fakes
