#pragma once
// What a mover's Pod says: why it does not start, how far it is, and how it ended. Pure; it reads one Pod,
// its events and its log as they are handed in, and decides nothing.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lib/kube/reader.h"

namespace truenas::storage {

struct MoverTrouble {
  std::string text;       // "cannot pull image x: …", "no node takes it: 0/3 nodes are available: …"
  bool hopeless = false;  // waiting will not help
};
// Why the Pod is not running; nullopt while nothing is wrong with it (just made, being scheduled, running,
// over).
std::optional<MoverTrouble> why_not_started(const json::Value& pod,
                                            const std::vector<kube::EventLine>& events);

struct MoverProgress {
  std::string phase;
  std::int64_t entries = 0, bytes = 0, bytes_total = 0;  // bytes_total 0: unknown
};
// The newest progress line of a log, or of its tail (the first line may be cut).
std::optional<MoverProgress> newest_progress(std::string_view log);

struct MoverEnd {
  int exit = 0;        // volume-mover's: 0 done, 3 different, 4 refused, 143 asked to stop
  std::string text;    // one sentence
  json::Value result;  // {"type":"result","mode",…,"facts","counts"}; null when it left none
};
// How the Pod ended: its termination message, else the last result line of the log. nullopt while it is not
// over. Kind::stopped: it was evicted, killed, or never ran.
Result<std::optional<MoverEnd>> read_end(const json::Value& pod, std::string_view log);

// "3 files (12 KiB) were written since the move: a, b, c", of a scan's result with --since; never "".
std::string newer_text(const json::Value& result);
// The first paths that the facts since.1 … name: "a, b"; "" for none.
std::string since_text(const json::Value& result);

// A refusal of the Pod at admission (PodSecurity, quota, LimitRange, a webhook), put plainly and with what
// helps.
Error admission_error(const Error& refusal, const std::string& ns);

}  // namespace truenas::storage
