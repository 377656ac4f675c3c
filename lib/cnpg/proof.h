#pragma once
// Proves, while clients go on writing, that every replica holds what the primary holds: each table counted
// and hashed with the same settings on all of them, each sequence compared, large objects too.
//
// First without any lock: hash on the primary, note a WAL position after it, let each replica replay past it,
// hash there. Equal means the replica, at a later moment, still holds exactly what the primary held. Tables
// that differ are being written to (or really differ): each of those is compared alone under a SHARE lock,
// which lets readers on and makes writers of that one table wait. The lock is taken with lock_timeout; it is
// held until every replica has hashed, at most hold_limit, also when this program dies: the session that
// holds it ends by itself.
//
// The result is data. It must not decide what a mismatch means for a migration, and it must not change a row,
// a setting or a replica. The one thing it writes is an empty message into the WAL
// (pg_logical_emit_message), whose commit makes the server flush what went before it.

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "lib/cnpg/cluster.h"
#include "lib/cnpg/sql.h"

namespace truenas::cnpg {

struct ProofOptions {
  std::int64_t max_bytes = std::int64_t{1} << 30;  // larger tables are counted, not hashed
  Milliseconds lock_timeout{2000};                 // waiting for a lock; writers queue behind the wait
  Milliseconds hold_limit{10000};                  // the longest a lock may be held, also after a SIGKILL
  Milliseconds replay_wait{10000};                 // a replica's time to replay past a position
  Milliseconds statement_timeout{600000};          // of one table's hash without a lock
  int attempts = 3;                                // for each table under its lock
};

enum class ProofVerdict {
  equal,           // same count and hash everywhere; a sequence: within 0 to 32 values ahead
  different,       // a replica holds something else: data is at risk
  only_counted,    // same count everywhere; above max_bytes, so not hashed
  not_comparable,  // unlogged, or a materialized view that was never filled: replicas cannot have it
  not_compared,    // could not be compared this time (busy, timed out): see why
};
std::string_view verdict_name(ProofVerdict verdict);

// What one instance holds of a relation. Of a sequence: rows is its next value.
struct Content {
  std::int64_t rows = 0;
  std::string hash;  // decimal sum of 64-bit row hashes, "" where only counted
  bool operator==(const Content&) const = default;
};

struct RelationProof {
  enum class Type { table, materialized_view, large_objects, sequence } type = Type::table;
  std::string database, name;  // name as format('%I.%I') writes it
  std::int64_t bytes = 0;
  ProofVerdict verdict = ProofVerdict::not_compared;
  std::string why;                      // for every verdict but equal
  std::map<std::string, Content> held;  // by instance, the primary among them
  bool locked = false;                  // compared under a lock
  Milliseconds lock_held{0};            // the longest a writer may have waited for it
};

struct ProofReport {
  std::string primary;
  std::vector<std::string> replicas, databases;
  std::vector<RelationProof> relations;
  // No relation differs. Says nothing about those that were not compared: count them.
  bool holds() const;
  std::size_t count(ProofVerdict verdict) const;
};

struct ProofInstances {
  std::string primary;
  std::vector<std::string> replicas;
};

// How far it is: relation `done` of `total` in `database`. Called from one thread.
struct ProofProgress {
  std::string database, relation;
  std::size_t done = 0, total = 0;
};
using ProofProgressSink = std::function<void(const ProofProgress&)>;

// Errors: Kind::mismatch when an instance has the wrong role or belongs to another system (its contents are
// not looked at then); Kind::unavailable when one does not answer or does not replay in time. A table that
// could not be compared is no error but a verdict.
Result<ProofReport> prove(const SqlRunner& runner, const ProofInstances& instances,
                          const ProofOptions& options, const ProofProgressSink& progress = {});
// The same in a Cluster's Pods: its current primary against all its other instances. Kind::refused when there
// is no replica to compare with.
Result<ProofReport> prove(const kube::Reader& reader, kube::Writer& writer, const ClusterState& cluster,
                          const ProofOptions& options, const ProofProgressSink& progress = {});

// A sequence's distance from the primary in steps of its increment, and whether that is right: between 0 and
// 32 ahead of what the primary says at some moment between `before` and `after`. Pure.
ProofVerdict compare_sequence(std::int64_t before, std::int64_t after, std::int64_t replica,
                              std::int64_t increment);

}  // namespace truenas::cnpg
