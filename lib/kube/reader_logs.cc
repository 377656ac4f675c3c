// Pod logs, whole or followed.

#include <fmt/format.h>

#include "lib/kube/reader.h"
#include "lib/kube/reader_internal.h"

namespace truenas::kube {
namespace {
constexpr std::size_t k_longest_log = 64u << 20;  // kept in memory; longer ones are for a sink
}

Result<void> Reader::logs(std::string_view ns, std::string_view pod, const LogOptions& options,
                          const http::BodySink& sink) const {
  Call call;
  call.what = call_name("logs", k_pod, ns, pod);
  if (pod.empty()) return make_error(Kind::bug, call.what + ": no name");
  TM_TRY_ASSIGN(call.path, resource_path(k_pod, ns, pod, "log"));
  if (!options.container.empty()) call.query.emplace_back("container", options.container);
  if (options.follow) call.query.emplace_back("follow", "true");
  if (options.previous) call.query.emplace_back("previous", "true");
  if (options.tail_lines >= 0) call.query.emplace_back("tailLines", std::to_string(options.tail_lines));
  if (options.limit_bytes > 0) call.query.emplace_back("limitBytes", std::to_string(options.limit_bytes));
  call.watch = options.follow;  // no bound on the whole, no gzip that would hold lines back
  call.stall = options.stall;
  Status status;
  Result<http::Response> reply = session_->call(call, sink, &status);
  if (!reply.ok()) return doubt_absence(std::move(reply).take_error(), status, pod);
  return {};
}

Result<std::string> Reader::logs(std::string_view ns, std::string_view pod, const LogOptions& options) const {
  std::string text;
  const auto collect = [&](std::string_view piece) -> Result<void> {
    if (text.size() + piece.size() > k_longest_log) {
      return make_error(Kind::format,
                        fmt::format("log of {} is longer than 64 MiB", describe(k_pod, ns, pod)));
    }
    text += piece;
    return {};
  };
  TM_TRY(logs(ns, pod, options, collect));
  return text;
}

}  // namespace truenas::kube
