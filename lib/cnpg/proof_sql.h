#pragma once
// The SQL of the proof as text, and its answers as values. Pure; private to lib/cnpg and its tests.

#include <optional>

#include "lib/cnpg/proof.h"

namespace truenas::cnpg {

// A relation as the primary's catalog has it.
struct Relation {
  std::string oid;   // identifies its rows in the answers
  std::string name;  // quoted and qualified
  RelationProof::Type type = RelationProof::Type::table;
  bool unlogged = false, populated = true;
  std::int64_t bytes = 0;
  std::int64_t increment = 1;  // of a sequence
};

// (is in recovery, system identifier), one row.
std::string role_sql();
// Databases that can be connected to, templates left out.
std::string databases_sql();
std::string relations_sql();
Result<std::vector<Relation>> parse_relations(const std::vector<SqlRow>& rows);

// Settings that the text form of a row depends on (facts 5), pinned for the session.
std::string pinned_settings();
// One row: oid, count, hash. The row's text is hashed, so its type's output functions see pinned settings.
std::string content_sql(const Relation& relation, bool hashed);
// One row: oid, next value, "".
std::string sequence_sql(const Relation& sequence);
// One row: "marker", LSN. Ends a transaction that flushes all WAL before it; must be able to write.
std::string marker_sql();
// Waits in a replica until it has replayed `lsn`; SQLSTATE TM001 when it has not in time. Holds no snapshot
// while it waits: that would stop the replay it waits for.
std::string wait_for_replay_sql(std::string_view lsn, Milliseconds limit);
inline constexpr std::string_view k_replay_too_slow = "TM001";

// Two advisory lock numbers name one locked comparison: (a, b) is held while the table's lock is held,
// (a, b + 1) once it has been hashed.
struct LockName {
  std::int32_t a = 0, b = 0;
};
// The session that holds the lock: takes it, hashes, then sleeps until it is cancelled or `hold_limit` has
// passed since it began. `hold_limit` must also be its statement_timeout.
std::string holder_sql(const Relation& relation, bool hashed, LockName name, const ProofOptions& options);
// Waits in the primary until the holder has its lock, then marks the WAL. SQLSTATE TM002: it has not in time.
std::string lock_seen_sql(LockName name, const ProofOptions& options);
inline constexpr std::string_view k_lock_not_seen = "TM002";
// Row ("held", 1 while the holder has its lock, milliseconds since it began), then ends the holder and waits
// until it is gone. wanted: not before it has hashed.
std::string release_sql(LockName name, bool wanted, const ProofOptions& options);

// Content rows of an answer by oid; the marker, if one is there, apart.
struct Answer {
  std::map<std::string, Content> contents;
  std::string marker;
  bool locked = false, hashed = false, expired = false;  // what a holder said
  bool still_held = false;                               // what release_sql saw
  Milliseconds lock_held{0};                             // since the holder's transaction began
};
Answer parse_answer(const std::vector<SqlRow>& rows);

}  // namespace truenas::cnpg
