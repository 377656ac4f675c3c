// A mover's Pod from its creation to its end, and the clean-up after it.

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/interrupt.h"
#include "lib/base/quantity.h"
#include "lib/base/text.h"
#include "lib/workflow/mover_run.h"

namespace truenas::workflow {
namespace {

using json::Value;
using storage::MoverEnd;

constexpr Milliseconds k_poll{1000};
// What a kubelet tries again by itself (an image that cannot be pulled) is given so long.
constexpr Milliseconds k_hopeless_after{15000};
constexpr std::int64_t k_log_tail = 20;

std::string progress_line(const storage::MoverProgress& progress) {
  const std::string of = progress.bytes_total > 0 ? " of " + format_bytes(progress.bytes_total) : "";
  return fmt::format("{}: {} entries, {}{}", progress.phase, progress.entries, format_bytes(progress.bytes),
                     of);
}

}  // namespace

Result<MoverEnd> MoverRun::watch(const MoverRequest& request, const Placed& placed, const std::string& uid) {
  const Milliseconds since = clock_->steady();
  Milliseconds silent_since{-1};
  looked_.reset();
  while (true) {
    if (on_look) on_look();
    if (!is_due(placed)) {
      TM_TRY(rest());
      continue;
    }
    looked_ = clock_->steady();
    if (changes != nullptr) mark_ = changes->mark();
    auto end = look(request, placed, uid, since);
    if (end.ok() && *end) return std::move(**end);
    if (!end.ok()) {
      // A server that does not answer for a moment does not end a copy.
      if (end.error().kind != Kind::unavailable) return end.error();
      if (silent_since < Milliseconds(0)) silent_since = clock_->steady();
      if (clock_->steady() - silent_since > Milliseconds(300000)) return end.error();
    } else {
      silent_since = Milliseconds(-1);
    }
    TM_TRY(rest());
  }
}

Result<void> MoverRun::rest() {
  if (interrupted())
    return make_error(Kind::interrupted, "interrupted", {"it is safe to run the same command again"});
  return clock_->sleep(k_poll);
}

// Every poll is a look where nothing is watched and one mover runs alone.
bool MoverRun::is_due(const Placed& placed) const {
  if (!looked_ || clock_->steady() - *looked_ >= look_every) return true;
  const std::string topic = kube::Changes::topic(kube::k_pod, placed.pod.ns, placed.pod.name);
  return changes != nullptr && !changes->quiet_since(mark_, placed.pod.ns, {topic});
}

// nullopt: not over yet.
Result<std::optional<MoverEnd>> MoverRun::look(const MoverRequest& request, const Placed& placed,
                                               const std::string& uid, Milliseconds since) {
  const std::string where = fmt::format("pod {}/{}", placed.pod.ns, placed.pod.name);
  TM_TRY_ASSIGN(const auto pod, reader_.find(kube::k_pod, placed.pod.ns, placed.pod.name));
  if (!pod || kube::identity_of(*pod).uid != uid) {
    return make_error(Kind::stopped, fmt::format("{} was deleted by somebody else", where));
  }
  const std::string& phase = pod->text_at("/status/phase");
  kube::LogOptions log_options;
  log_options.tail_lines = k_log_tail;
  std::string log;
  if (phase != "Pending") {
    // No log is no reason to stop: the result is in the termination message.
    log = reader_.logs(placed.pod.ns, placed.pod.name, log_options).value_or("");
  }
  TM_TRY_ASSIGN(auto end, storage::read_end(*pod, log));
  if (end) return end;
  if (phase == "Running") {
    const auto progress = storage::newest_progress(log);
    say(progress ? progress_line(*progress)
                 : fmt::format("{} runs on node {}", where, pod->text_at("/spec/nodeName")));
    return std::optional<MoverEnd>();
  }
  const auto events = reader_.events_of(placed.pod.ns, uid);
  const auto trouble = storage::why_not_started(*pod, events.ok() ? *events : std::vector<kube::EventLine>());
  const Milliseconds now = clock_->steady();
  if (!trouble) {
    trouble_since_ = Milliseconds(-1);
    say(fmt::format("{} starts", where));
  } else {
    say(fmt::format("{} does not start: {}", where, trouble->text));
    if (trouble_since_ < Milliseconds(0)) trouble_since_ = now;
    if (trouble->hopeless && now - trouble_since_ >= k_hopeless_after) {
      return make_error(Kind::stopped, fmt::format("{} does not start: {}", where, trouble->text),
                        {"another image: --mover-image, --image-pull-secret"});
    }
    // Another run may have taken the program away between our look and the Pod's start.
    if (contains(trouble->text, "configmap")) TM_TRY(ensure_config(placed));
  }
  if (now - since >= request.start_deadline) {
    return make_error(
        Kind::stopped,
        fmt::format("{} did not start within {}{}", where, format_elapsed(request.start_deadline),
                    trouble ? ": " + trouble->text : ""),
        {fmt::format("kubectl describe pod -n {} {}", placed.pod.ns, placed.pod.name)});
  }
  return std::optional<MoverEnd>();
}

// Whatever fails here is left for the next run, which finds it by its labels; it never hides the result.
void MoverRun::clean_up(const Placed& placed, const std::string& uid) {
  kube::DeleteOptions options;
  options.uid = uid;
  const auto removed = writer_.remove(kube::k_pod, placed.pod.ns, placed.pod.name, options);
  if (!removed.ok())
    say(fmt::format("pod {}/{} is left behind: {}", placed.pod.ns, placed.pod.name, removed.error().what));
  remove_config(placed);
}

// Only when no other mover's Pod is there that still needs it.
void MoverRun::remove_config(const Placed& placed) {
  kube::ListOptions options;
  options.label_selector = fmt::format("{}={}", storage::k_mover_config_label, placed.pod.config);
  const auto pods = reader_.list(kube::k_pod, placed.pod.ns, options);
  const bool others = !pods.ok() || std::any_of(pods->begin(), pods->end(), [&](const Value& pod) {
    return pod.text_at("/metadata/name") != placed.pod.name &&
           pod.text_at("/metadata/deletionTimestamp").empty();
  });
  if (others) return;
  const auto found = reader_.find(kube::k_config_map, placed.pod.ns, placed.pod.config);
  if (!found.ok() || !*found) return;
  const kube::Identity identity = kube::identity_of(**found);
  kube::DeleteOptions deletion;
  deletion.uid = identity.uid;
  deletion.resource_version = identity.resource_version;
  const auto removed = writer_.remove(kube::k_config_map, placed.pod.ns, placed.pod.config, deletion);
  if (!removed.ok())
    say(fmt::format("configmap {}/{} is left behind: {}", placed.pod.ns, placed.pod.config,
                    removed.error().what));
}

}  // namespace truenas::workflow
