// What psql gets from the instances of the CNPG model: replication, checkpoints, and one table whose content
// is the number of writes, for the proof at the end of a move.

#include <fmt/format.h>

#include "tests/fakes/cnpg_work.h"

namespace truenas::fakes {
namespace {

using json::Value;

// The one table: its count and hash are what the dataset holds.
constexpr std::string_view k_table = "16384";
constexpr std::string_view k_table_row = "16384,public.writes,r,0,1,8192,1\n";
constexpr int k_lock_ticks = 20;  // a session that was left behind is ended by its own time-out

bool asks(const SqlQuestion& question, std::string_view part) {
  return question.sql.find(part) != std::string::npos;
}

std::string content_row(std::int64_t value) {
  return fmt::format("{},{},{}\n", k_table, value, value * 7919);
}

SqlAnswer failed(std::string_view sqlstate, std::string_view message) {
  return {3, "", fmt::format("psql:<stdin>:1: ERROR:  {}: {}\n", sqlstate, message)};
}

}  // namespace

bool CnpgModel::is_locked(const Key& pod) {
  const Value* object = store_.find(pod);
  if (object == nullptr) return false;
  const Value* cluster =
      store_.find(key_of(kube::k_cluster, pod.ns, kube::label_of(*object, "cnpg.io/cluster")));
  return cluster != nullptr && memory_[uid_of(*cluster)].lock_left > 0;
}

SqlAnswer CnpgModel::answer(const SqlQuestion& question) {
  if (sql) {
    if (std::optional<SqlAnswer> own = sql(question)) return *own;
  }
  const std::string& name = kube::label_of(*store_.find(question.pod), "cnpg.io/cluster");
  const Key key = key_of(kube::k_cluster, question.pod.ns, name);
  const Value* cluster = store_.find(key);
  const std::vector<Dataset*> datasets = datasets_of(key, question.pod.name);
  if (cluster == nullptr || datasets.empty()) return {2, "", "psql: error: the data directory is gone\n"};
  Memory& memory = memory_[uid_of(*cluster)];
  const std::string& text = question.sql;
  if (text == "SELECT 1") return {0, "1\n", ""};
  if (text.starts_with("CHECKPOINT")) {
    memory.checkpoint = memory.checkpoint || question.is_primary;
    return {};
  }
  if (asks(question, "pg_database_size")) return {0, "coder,1,8000000,15.18\npostgres,1,7500000,15.18\n", ""};
  if (asks(question, "pg_largeobject_metadata")) {
    return {0, question.database == "coder" ? std::string(k_table_row) : "", ""};
  }
  if (asks(question, "pg_total_relation_size")) return {};
  if (asks(question, "FROM pg_stat_replication")) {
    return {0, question.is_primary ? replication_rows(question.pod) : "", ""};
  }
  if (asks(question, "pg_is_in_recovery")) {
    return {0, fmt::format("{},{}\n", question.is_primary ? 0 : 1, cluster->text_at("/status/systemID")), ""};
  }
  if (asks(question, "SELECT datname FROM pg_database")) return {0, "coder\npostgres\n", ""};
  return answer_proof(question, memory, key);
}

// The sessions of the proof (lib/cnpg/proof_sql.h): one holds a lock, one sees it and marks the WAL, the
// replicas replay to the mark and answer, one releases.
SqlAnswer CnpgModel::answer_proof(const SqlQuestion& question, Memory& memory, const Key& key) {
  const std::vector<Dataset*> own = datasets_of(key, question.pod.name);
  if (asks(question, "LOCK TABLE ONLY")) {
    memory.lock_left = k_lock_ticks;
    SqlAnswer answer = failed("57014", "canceling statement due to user request");
    answer.out = "locked,,\n" + content_row(own.front()->value) + "hashed,,\n";
    return answer;
  }
  if (asks(question, "SELECT 'held'")) {
    const bool held = memory.lock_left > 0;
    memory.lock_left = 0;
    return {0, held ? "held,1,5\n" : "held,0,0\n", ""};
  }
  std::string out;
  if (asks(question, "pg_last_wal_replay_lsn")) {
    if (lagging.contains(question.pod.name))
      return failed("TM001", "this replica has not replayed far enough");
    const std::vector<Dataset*> source =
        datasets_of(key, store_.find(key)->text_at("/status/currentPrimary"));
    for (Dataset* dataset : own) {
      if (!source.empty()) dataset->value = source.front()->value;
    }
  }
  const bool counts = asks(question, fmt::format("SELECT {}, count(*)", k_table));
  if (counts) out += content_row(own.front()->value);
  const bool marks = asks(question, "pg_logical_emit_message");
  if (marks) out += "marker,0/3000060\n";
  if (counts || marks || asks(question, "pg_last_wal_replay_lsn")) return {0, out, ""};
  return {1, "", "psql:<stdin>:1: ERROR:  0A000: the fake does not know this query\n"};
}

}  // namespace truenas::fakes
