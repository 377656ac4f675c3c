#pragma once
// Journal: what a migration must remember in the cluster because it cannot be observed again (original
// policies, counts, manifests), and a log of what was done. One or more ConfigMaps, bound to one cluster and
// one target. Pure: reading and writing them is journal_store.h's. It must never hold a secret.

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lib/json/value.h"

namespace truenas::engine {

inline constexpr int k_journal_version = 1;
inline constexpr std::size_t k_journal_part_bytes = 512u << 10;   // then a part of its own begins
inline constexpr std::size_t k_journal_value_bytes = 900u << 10;  // etcd takes 1.5 MiB, a ConfigMap 1 MiB
inline constexpr std::size_t k_journal_log_entries = 500;         // per part; the oldest are dropped

// What a journal belongs to.
struct JournalBinding {
  std::string cluster_uid;  // metadata.uid of namespace kube-system
  std::string target;       // "cluster coder/coder-postgres", for people
  std::string target_uid;   // metadata.uid of the target; "": whatever the journal says, not compared
};

struct LogEntry {
  std::string time;     // RFC 3339 with microseconds
  std::string run;      // who: the lock's holder
  std::string step;     // Step::id
  std::string phase;    // "intent", "done"
  std::string outcome;  // of "done": "ok" or the error, at most 500 bytes
  bool operator==(const LogEntry& other) const = default;
};

// One ConfigMap's data, kept whole: keys that this program does not know stay.
struct JournalPart {
  std::map<std::string, std::string> data;
  std::string uid, resource_version;  // "" until it exists
  std::size_t bytes() const;
};

// "truenas-migrate-<what>-<target>", cut to 63 bytes; part n > 1 has ".part-<n>" appended (a dot: a target
// "pg-2" must not meet the second part of target "pg"). Lease and journal share the name.
std::string journal_name(std::string_view what, std::string_view target);
std::string journal_part_name(std::string_view name, std::size_t number);

class Journal {
 public:
  // A journal that does not exist yet.
  explicit Journal(JournalBinding binding) : binding_(std::move(binding)) {}
  // From its ConfigMaps in the order of their parts. Kind::refused, naming both values: another cluster,
  // another target, a newer version. Kind::format: no journal, or a damaged one.
  static Result<Journal> parse(JournalBinding binding, const std::vector<json::Value>& config_maps);

  bool exists() const { return !parts_.empty(); }
  // Of all parts. A fact's name is of letters, digits, '-', '_' and '.'.
  std::map<std::string, std::string> facts() const;
  const std::string* find_fact(std::string_view name) const;
  // Written once: ok when it has this value already; Kind::conflict naming both values when it has another.
  // Kind::bug for a name of other characters; Kind::refused for a value above k_journal_value_bytes.
  Result<void> set_fact(std::string_view name, std::string_view value);
  // Oldest first. Appending an entry that is there already does nothing (a lost reply, then tried again).
  std::vector<LogEntry> log() const;
  void append(LogEntry entry);

  const JournalBinding& binding() const { return binding_; }
  std::vector<JournalPart>& parts() { return parts_; }
  const std::vector<JournalPart>& parts() const { return parts_; }

 private:
  JournalPart& part_with_room(std::size_t bytes);
  JournalBinding binding_;
  std::vector<JournalPart> parts_;
};

// A part as the ConfigMap to create, labelled managed-by and with the journal's name.
json::Value to_config_map(const JournalPart& part, std::string_view ns, std::string_view name,
                          std::size_t number);
// The merge patch that makes `before` into `after`, conditional on before's resourceVersion; null if equal.
json::Value journal_patch(const JournalPart& before, const JournalPart& after);

}  // namespace truenas::engine
