#include "lib/cnpg/proof_sql.h"

#include <fmt/format.h>

#include <charconv>

namespace truenas::cnpg {
namespace {

std::optional<std::int64_t> integer(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// A loop that ends when `condition` holds; COMMIT between two looks lets go of the snapshot and makes the
// next look a fresh one.
std::string wait_loop(std::string_view condition, Milliseconds limit, std::string_view sqlstate,
                      std::string_view complaint, std::string_view each_time = "") {
  return fmt::format(
      "DO $wait$\n"
      "DECLARE stop_at timestamptz := clock_timestamp() + interval '{} ms';\n"
      "BEGIN\n"
      "  WHILE NOT coalesce(({}), false) LOOP\n"
      "    IF clock_timestamp() > stop_at THEN\n"
      "      RAISE EXCEPTION USING ERRCODE = '{}', MESSAGE = '{}';\n"
      "    END IF;\n"
      "    {}\n"
      "    COMMIT;\n"
      "    PERFORM pg_sleep(0.01);\n"
      "  END LOOP;\n"
      "END\n"
      "$wait$;\n",
      limit.count(), condition, sqlstate, complaint, each_time);
}

std::string lock_rows(std::int32_t a, std::int32_t b) {
  return fmt::format(
      "FROM pg_catalog.pg_locks WHERE locktype = 'advisory' AND granted AND classid = {} AND objid = {} AND "
      "objsubid = 2",
      a, b);
}

}  // namespace

std::string role_sql() {
  return "SELECT pg_is_in_recovery()::int, (SELECT system_identifier FROM pg_control_system())";
}

std::string databases_sql() {
  return "SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate ORDER BY datname";
}

std::string relations_sql() {
  return "SELECT c.oid, format('%I.%I', n.nspname, c.relname), "
         "CASE WHEN n.nspname = 'pg_catalog' THEN 'L' ELSE c.relkind END, (c.relpersistence = 'u')::int, "
         "c.relispopulated::int, CASE WHEN c.relkind = 'S' THEN 0 ELSE pg_table_size(c.oid) END, "
         "coalesce(s.seqincrement, 1) "
         "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_sequence s ON "
         "s.seqrelid = c.oid "
         "WHERE c.relpersistence <> 't' AND (c.oid IN ('pg_catalog.pg_largeobject'::regclass, "
         "'pg_catalog.pg_largeobject_metadata'::regclass) OR (c.relkind IN ('r', 'm', 'S') "
         "AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND n.nspname !~ "
         "'^pg_(toast_)?temp_')) "
         "ORDER BY 2";
}

Result<std::vector<Relation>> parse_relations(const std::vector<SqlRow>& rows) {
  std::vector<Relation> relations;
  for (const SqlRow& row : rows) {
    const auto bytes = row.size() == 7 ? integer(row[5]) : std::nullopt;
    const auto increment = row.size() == 7 ? integer(row[6]) : std::nullopt;
    if (!bytes || !increment || *increment == 0 || !integer(row[0])) {
      return make_error(Kind::format, "the catalog's answer has an unexpected form");
    }
    Relation relation;
    relation.oid = row[0];
    relation.name = row[1];
    using Type = RelationProof::Type;
    relation.type = row[2] == "S"   ? Type::sequence
                    : row[2] == "m" ? Type::materialized_view
                    : row[2] == "L" ? Type::large_objects
                                    : Type::table;
    relation.unlogged = row[3] == "1";
    relation.populated = row[4] == "1";
    relation.bytes = *bytes;
    relation.increment = *increment;
    relations.push_back(std::move(relation));
  }
  return relations;
}

std::string pinned_settings() {
  return "SET TimeZone = 'UTC';\nSET DateStyle = 'ISO, YMD';\nSET IntervalStyle = 'postgres';\n"
         "SET extra_float_digits = 3;\nSET bytea_output = 'hex';\nSET lc_monetary = 'C';\nSET lc_numeric = "
         "'C';\n"
         "SET xmlbinary = 'base64';\nSET quote_all_identifiers = off;\nSET search_path = '';\nSET jit = "
         "off;\n";
}

std::string content_sql(const Relation& relation, bool hashed) {
  if (relation.type == RelationProof::Type::sequence) return sequence_sql(relation);
  // (r.*) is the row whatever its columns are called; ONLY: each partition and child speaks for itself.
  const std::string_view hash =
      hashed ? "coalesce(sum(hashtextextended((r.*)::text COLLATE \"C\", 0)::numeric), 0)" : "''";
  return fmt::format("SELECT {}, count(*), {} FROM ONLY {} AS r;\n", relation.oid, hash, relation.name);
}

std::string sequence_sql(const Relation& sequence) {
  // The next value; as numeric, since the last one may be the largest bigint. Beyond bigint stands as the
  // largest: nothing follows it.
  return fmt::format(
      "SELECT {0}, greatest(least(last_value::numeric + CASE WHEN is_called THEN {1} ELSE 0 END, "
      "9223372036854775807), "
      "-9223372036854775808), '' FROM {2};\n",
      sequence.oid, sequence.increment, sequence.name);
}

std::string marker_sql() {
  return "SET default_transaction_read_only = off;\nSET synchronous_commit = local;\n"
         "SELECT 'marker', pg_logical_emit_message(true, 'kubectl-truenas-migrate', '');\n"
         "SET default_transaction_read_only = on;\n";
}

std::string wait_for_replay_sql(std::string_view lsn, Milliseconds limit) {
  return wait_loop(fmt::format("pg_last_wal_replay_lsn() >= {}::pg_lsn", sql_literal(lsn)), limit,
                   k_replay_too_slow, "this replica has not replayed far enough");
}

std::string holder_sql(const Relation& relation, bool hashed, LockName name, const ProofOptions& options) {
  return fmt::format(
      "{0}SET lock_timeout = {1};\nSET idle_in_transaction_session_timeout = {2};\n"
      "BEGIN READ WRITE;\nLOCK TABLE ONLY {3} IN SHARE MODE;\n"
      "SELECT 'locked', pg_advisory_xact_lock({4}, {5}), '';\n{6}"
      "SELECT 'hashed', pg_advisory_xact_lock({4}, {7}), '';\n"
      "SELECT 'expired', pg_sleep(extract(epoch FROM now() + interval '{8} ms' - clock_timestamp())), '';\n"
      "ROLLBACK;\n",
      pinned_settings(), options.lock_timeout.count(), options.hold_limit.count(), relation.name, name.a,
      name.b, content_sql(relation, hashed), name.b + 1, options.hold_limit.count());
}

std::string lock_seen_sql(LockName name, const ProofOptions& options) {
  // The holder's psql may start after this one.
  const Milliseconds limit = options.lock_timeout + Milliseconds{3000};
  return wait_loop("SELECT true " + lock_rows(name.a, name.b), limit, k_lock_not_seen,
                   "the lock was not granted in time") +
         marker_sql();
}

std::string release_sql(LockName name, bool wanted, const ProofOptions& options) {
  // Repeated, because a cancel that arrives between two statements has no effect. A holder whose hash is
  // wanted is cancelled only once it has it.
  return fmt::format(
             "SELECT 'held', count(*), coalesce(max(extract(epoch FROM clock_timestamp() - a.xact_start) * "
             "1000), 0)::bigint "
             "FROM (SELECT pid {}) AS l JOIN pg_stat_activity AS a USING (pid);\n",
             lock_rows(name.a, name.b)) +
         wait_loop("SELECT count(*) = 0 " + lock_rows(name.a, name.b), options.hold_limit, "TM003",
                   "the session that holds the lock does not end",
                   "PERFORM pg_cancel_backend(pid) " + lock_rows(name.a, wanted ? name.b + 1 : name.b) + ";");
}

Answer parse_answer(const std::vector<SqlRow>& rows) {
  Answer answer;
  for (const SqlRow& row : rows) {
    if (row.size() < 2) continue;
    if (row[0] == "marker") answer.marker = row[1];
    if (row[0] == "held" && row.size() == 3) {
      answer.still_held = row[1] == "1";
      answer.lock_held = Milliseconds{integer(row[2]).value_or(0)};
    }
    if (row[0] == "locked") answer.locked = true;
    if (row[0] == "hashed") answer.hashed = true;
    if (row[0] == "expired") answer.expired = true;
    const auto oid = integer(row[0]);
    const auto count = integer(row[1]);
    if (oid && count && row.size() == 3) answer.contents[row[0]] = {*count, row[2]};
  }
  return answer;
}

}  // namespace truenas::cnpg
