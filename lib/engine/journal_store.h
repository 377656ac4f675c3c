#pragma once
// JournalStore: the journal's ConfigMaps in the cluster. Reads afresh on demand; writes by patch with the
// resourceVersion it knows, and after a conflict or a lost reply reads again and merges, a bounded number of
// times. It must not decide what is worth remembering. Not thread-safe.

#include <functional>
#include <map>
#include <string>

#include "lib/base/clock.h"
#include "lib/engine/journal.h"
#include "lib/engine/step_log.h"
#include "lib/kube/reader.h"
#include "lib/kube/writer.h"

namespace truenas::engine {

// Where a journal lies: in the target's namespace, or for cluster-scoped targets in --journal-namespace
// (kube-system).
struct JournalAddress {
  std::string ns;
  std::string what;    // "postgres"
  std::string target;  // "coder-postgres"
  std::string name() const { return journal_name(what, target); }
};

class JournalStore {
 public:
  JournalStore(kube::Reader reader, JournalAddress address, JournalBinding binding, Clock& clock)
      : reader_(reader), address_(std::move(address)), journal_(std::move(binding)), clock_(&clock) {}

  // The journal as it is now; one that does not exist yet is empty, not an error. Errors: Journal::parse's,
  // and what reading gives.
  Result<Journal> read();
  // Remembers facts, all write-once: Kind::conflict naming both values when one has another value already.
  Result<void> set_facts(kube::Writer& writer, const std::map<std::string, std::string>& facts);
  Result<void> append(kube::Writer& writer, const LogEntry& entry);
  // Once the lock is taken: what was read before may have been added to by whoever had it.
  void forget() { known_ = wrote_ = whole_ = false; }
  // Deletes all parts, the last first, each by its uid.
  Result<void> remove(kube::Writer& writer);

  const JournalAddress& address() const { return address_; }
  Clock& clock() { return *clock_; }

 private:
  Result<void> update(kube::Writer& writer, const std::function<Result<void>(Journal&)>& change);
  Result<void> write(kube::Writer& writer, const Journal& wanted);

  kube::Reader reader_;
  JournalAddress address_;
  Journal journal_;     // as last read or written
  bool known_ = false;  // journal_ was read
  // It has been read to its end since this process wrote to it: nobody else adds a part, for the lock is
  // ours.
  bool wrote_ = false, whole_ = false;
  Clock* clock_;
};

// Writes a run's intents and outcomes into a journal.
class JournalLog final : public StepLog {
 public:
  // `run` names this run in every entry (the lock's holder).
  JournalLog(JournalStore& store, kube::Writer& writer, std::string run)
      : store_(&store), writer_(&writer), run_(std::move(run)) {}
  Result<void> note_intent(const Step& step) override;
  Result<void> note_done(const Step& step, std::string_view outcome) override;

 private:
  Result<void> note(const Step& step, std::string phase, std::string_view outcome);
  JournalStore* store_;
  kube::Writer* writer_;
  std::string run_;
};

}  // namespace truenas::engine
