#pragma once
// What a command run in a container left behind, and how it is asked for (facts X, V, F, N). The transport is
// WebSocket v5.channel.k8s.io (v4 is accepted only without stdin). A connection that ends without a Status
// frame is a failure, never a success (F10). Not for volume data.

#include <string>
#include <vector>

#include "lib/base/clock.h"

namespace truenas::kube {

struct ExecRequest {
  std::string ns, pod, container;
  std::vector<std::string> argv;
  std::string stdin_text;  // sent and then half-closed (v5); empty: no stdin at all
  Milliseconds deadline{60000};
  std::size_t output_limit = 8u << 20;  // bytes of stdout kept; more is Kind::format
};

struct ExecResult {
  int exit_code = 0;
  std::string out, err;
};

}  // namespace truenas::kube
