#include "lib/storage/mover_end.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "lib/base/quantity.h"
#include "lib/base/text.h"

namespace truenas::storage {
namespace {

using json::Value;

constexpr std::array<std::string_view, 5> k_image_reasons = {
    "ImagePullBackOff", "ErrImagePull", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable"};
constexpr std::array<std::string_view, 4> k_container_reasons = {
    "CreateContainerConfigError", "CreateContainerError", "RunContainerError", "StartError"};

template <std::size_t N>
bool one_of(const std::array<std::string_view, N>& reasons, std::string_view reason) {
  return std::find(reasons.begin(), reasons.end(), reason) != reasons.end();
}

const Value* container_state(const Value& pod) {
  return pod.at("/status/containerStatuses/0/state");
}

const Value* condition_of(const Value& pod, std::string_view type) {
  for (const Value& condition : pod.items_at("/status/conditions")) {
    if (condition.text_at("/type") == type) return &condition;
  }
  return nullptr;
}

// The newest warning about mounting: the kubelet's only word while a container waits in ContainerCreating.
std::string newest_warning(const std::vector<kube::EventLine>& events) {
  for (auto event = events.rbegin(); event != events.rend(); ++event) {
    if (event->type == "Warning") return fmt::format("{}: {}", event->reason, event->message);
  }
  return "";
}

std::optional<Value> parse_line(std::string_view line, std::string_view type) {
  line = trim(line);
  if (line.empty() || line.front() != '{') return std::nullopt;
  auto parsed = json::parse(line, "log");
  if (!parsed.ok() || parsed->text_at("/type") != type) return std::nullopt;
  return std::move(parsed).value();
}

std::optional<Value> newest_line(std::string_view log, std::string_view type) {
  while (!log.empty()) {
    const std::size_t end = log.find_last_not_of('\n');
    if (end == std::string_view::npos) return std::nullopt;
    log = log.substr(0, end + 1);
    const std::size_t start = log.rfind('\n');
    const std::string_view line = start == std::string_view::npos ? log : log.substr(start + 1);
    if (auto found = parse_line(line, type)) return found;
    log = start == std::string_view::npos ? std::string_view() : log.substr(0, start);
  }
  return std::nullopt;
}

}  // namespace

std::optional<MoverTrouble> why_not_started(const Value& pod, const std::vector<kube::EventLine>& events) {
  if (pod.text_at("/status/phase") != "Pending") return std::nullopt;
  if (const Value* scheduled = condition_of(pod, "PodScheduled");
      scheduled != nullptr && scheduled->text_at("/status") == "False") {
    return MoverTrouble{"no node takes it: " + scheduled->text_at("/message"), false};
  }
  const Value* state = container_state(pod);
  const std::string reason = state == nullptr ? "" : state->text_at("/waiting/reason");
  const std::string message = state == nullptr ? "" : state->text_at("/waiting/message");
  if (one_of(k_image_reasons, reason)) {
    const std::string& image = pod.text_at("/spec/containers/0/image");
    return MoverTrouble{
        fmt::format("cannot pull image {} ({}){}", image, reason, message.empty() ? "" : ": " + message),
        true};
  }
  if (one_of(k_container_reasons, reason)) {
    return MoverTrouble{fmt::format("its container cannot be made ({}): {}", reason, message), true};
  }
  const std::string warning = newest_warning(events);
  if (warning.empty()) return std::nullopt;
  return MoverTrouble{warning, false};
}

std::optional<MoverProgress> newest_progress(std::string_view log) {
  const auto line = newest_line(log, "progress");
  if (!line) return std::nullopt;
  return MoverProgress{line->text_at("/phase"), line->integer_at("/entries"), line->integer_at("/bytes"),
                       line->integer_at("/bytes_total")};
}

Result<std::optional<MoverEnd>> read_end(const Value& pod, std::string_view log) {
  const std::string& phase = pod.text_at("/status/phase");
  const std::string& name = pod.text_at("/metadata/name");
  const Value* state = container_state(pod);
  const Value* terminated = state == nullptr ? nullptr : state->find("terminated");
  if (terminated == nullptr) {
    if (phase != "Failed" && phase != "Succeeded") return std::optional<MoverEnd>();
    const std::string& reason = pod.text_at("/status/reason");
    return make_error(
        Kind::stopped,
        fmt::format("pod {} ended before volume-mover ran: {}{}", name, reason.empty() ? phase : reason,
                    pod.text_at("/status/message").empty() ? "" : ": " + pod.text_at("/status/message")));
  }
  MoverEnd end;
  end.exit = static_cast<int>(terminated->integer_at("/exitCode", 1));
  auto result = parse_line(terminated->text_at("/message"), "result");
  if (!result) result = newest_line(log, "result");
  if (result) {
    end.text = result->text_at("/text");
    end.result = std::move(*result);
    return std::optional<MoverEnd>(std::move(end));
  }
  const std::string reason =
      pod.text_at("/status/reason").empty() ? terminated->text_at("/reason") : pod.text_at("/status/reason");
  std::string why = terminated->text_at("/message");
  if (why.empty()) why = std::string(trim(log.substr(log.size() > 300 ? log.size() - 300 : 0)));
  return make_error(Kind::stopped, fmt::format("volume-mover in pod {} left no result (exit {}, {}){}", name,
                                               end.exit, reason.empty() ? "no reason given" : reason,
                                               why.empty() ? "" : ": " + printable(why)));
}

std::string since_text(const Value& result) {
  std::vector<std::string> named;
  for (int i = 1;; ++i) {
    const std::string path = result.text_at(fmt::format("/facts/since.{}", i));
    if (path.empty()) return join(named, ", ");
    named.push_back(path);
  }
}

std::string newer_text(const Value& result) {
  const std::int64_t count = result.integer_at("/counts/changed_since");
  if (count == 0) return "no file was written since the move";
  const std::int64_t bytes = result.integer_at("/counts/changed_since_bytes");
  return fmt::format("{} of {} written since the move: {}{}",
                     count_of(static_cast<std::size_t>(count), "file"), format_bytes(bytes),
                     since_text(result), count > 5 ? ", …" : "");
}

Error admission_error(const Error& refusal, const std::string& ns) {
  Error error = refusal;
  error.kind = Kind::refused;
  if (contains(refusal.what, "violates PodSecurity")) {
    error.what = fmt::format("namespace {} does not take the mover's Pod: {}", ns, refusal.what);
    error.hints = {
        "the mover runs as root with the capabilities CHOWN, DAC_OVERRIDE, FOWNER, FSETID, SETGID and "
        "SETUID: "
        "level baseline takes it, restricted does not",
        fmt::format("for the time of the run: kubectl label namespace {} --overwrite "
                    "pod-security.kubernetes.io/enforce=baseline",
                    ns)};
    return error;
  }
  if (contains(refusal.what, "exceeded quota")) {
    error.what =
        fmt::format("the quota of namespace {} has no room for the mover's Pod: {}", ns, refusal.what);
    error.hints = {fmt::format("kubectl describe quota -n {}", ns)};
    return error;
  }
  error.what = fmt::format("the mover's Pod would not be taken in namespace {}: {}", ns, refusal.what);
  // A LimitRange's bounds, or a quota that wants every Pod to say what it takes.
  if (contains(refusal.what, "per Container") || contains(refusal.what, "per Pod") ||
      contains(refusal.what, "must specify")) {
    error.hints = {"say what the mover may take: --mover-requests and --mover-limits",
                   fmt::format("kubectl describe limitrange,quota -n {}", ns)};
  }
  return error;
}

}  // namespace truenas::storage
