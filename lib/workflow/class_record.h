#pragma once
// ClassRecord: what a probe of a storage class found, as it stands in the journal of that class, for whoever
// decides about the class later. It says what was seen then; nothing here probes. Writing it is for whoever
// has probed (class_probe.h).

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "lib/base/clock.h"
#include "lib/engine/journal_store.h"
#include "lib/kube/reader.h"
#include "lib/kube/writer.h"

namespace truenas::workflow {

struct ClassFinding;

inline constexpr const char* k_class_journal_ns = "kube-system";  // unless the user says otherwise

struct ClassRecord {
  std::string time;                                             // RFC 3339
  std::string class_uid;                                        // metadata.uid of the class that was probed
  std::string verdict;                                          // ClassFinding::verdict
  std::string directory_owner, directory_mode, copy_by_server;  // ClassFinding::facts

  // "all_squash(root), probed 2026-11-22T22:10:11Z", for messages.
  std::string text() const;
  // Root becomes somebody else there, and others stay who they are.
  bool squashes_root() const;
  // Why files of this uid cannot be its own there, one clause; nullopt when they can, or nothing is known
  // against it.
  std::optional<std::string> why_not_owner(std::int64_t uid) const;
};

// What a reader of journals knows.
struct RecordedProbe {
  std::optional<ClassRecord> newest;  // nullopt, and nothing unknown: never probed
  std::string unknown;                // why it could not be found out; "" when it could
};

// The journal of a class, bound to this cluster. `reader` and `clock` must outlive it. Errors: those of
// reading the cluster's uid.
Result<engine::JournalStore> open_class_journal(const kube::Reader& reader, const std::string& ns,
                                                const std::string& name, Clock& clock);

// The fact that stands for a record; keys sort by time. Pure.
std::string record_key(const ClassRecord& record);
std::string record_value(const ClassRecord& record);
// The newest record of the class with this uid: what an earlier class of the same name did says nothing.
// Kind::format when that one is damaged. Pure.
Result<std::optional<ClassRecord>> newest_record(const std::map<std::string, std::string>& facts,
                                                 const std::string& class_uid);

// Never an error: nobody's work ends because an earlier finding cannot be read.
RecordedProbe read_recorded_probe(const kube::Reader& reader, const std::string& ns, const std::string& name,
                                  const std::string& class_uid, Clock& clock);
// Writes a finding that has a verdict down, with the time now. The lock of the class's own changes is not
// needed: facts are written once, by resourceVersion.
Result<void> write_class_record(const kube::Reader& reader, kube::Writer& writer, const std::string& ns,
                                const ClassFinding& finding, Clock& clock);

}  // namespace truenas::workflow
