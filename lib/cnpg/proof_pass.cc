#include "lib/cnpg/proof_pass.h"

#include <fmt/format.h>

#include <future>
#include <random>

#include "lib/base/text.h"

namespace truenas::cnpg {
namespace {

using Outcome = Result<SqlOutcome>;
using Runner = std::function<Outcome(const SqlCall&)>;

SqlCall call_for(const ProofContext& context, std::string_view instance, std::string sql,
                 Milliseconds statement) {
  SqlCall call;
  call.instance = instance;
  call.database = context.database;
  call.sql = std::move(sql);
  call.script = true;
  call.statement_timeout = statement;
  call.deadline = statement + context.options.replay_wait + Milliseconds{60000};
  return call;
}

std::string contents_sql(const std::vector<Relation>& relations, const ProofOptions& options) {
  std::string sql = "\\set ON_ERROR_STOP 0\n";
  for (const Relation& relation : relations) sql += content_sql(relation, is_hashed(relation, options));
  return sql;
}

// Asks every replica at once.
std::map<std::string, Outcome> ask_replicas(const ProofContext& context, std::string_view marker,
                                            const std::vector<Relation>& relations, Milliseconds statement) {
  const std::string sql = pinned_settings() + wait_for_replay_sql(marker, context.options.replay_wait) +
                          contents_sql(relations, context.options);
  std::map<std::string, std::future<Outcome>> asked;
  for (const std::string& replica : context.instances.replicas) {
    asked[replica] = std::async(
        std::launch::async,
        [&context, call = call_for(context, replica, sql, statement)] { return context.runner.look(call); });
  }
  std::map<std::string, Outcome> outcomes;
  for (auto& [replica, outcome] : asked) outcomes.emplace(replica, outcome.get());
  return outcomes;
}

std::string replica_trouble(std::string_view replica, const Outcome& outcome) {
  if (!outcome) return fmt::format("replica {}: {}", replica, outcome.error().what);
  if (!outcome->failed) return "";
  if (outcome->sqlstate == k_replay_too_slow) return fmt::format("replica {} does not keep up", replica);
  return fmt::format("replica {}: {}", replica, outcome->message);
}

LockName random_name() {
  std::random_device device;
  std::uniform_int_distribution<std::int32_t> number(1, 0x7ffffffe);
  return {number(device), number(device)};
}

// The session that holds the lock, in a thread of its own; it is ended in every case.
class Holder {
 public:
  Holder(const ProofContext& context, const Relation& relation) : context_(context), name_(random_name()) {
    SqlCall call =
        call_for(context, context.instances.primary,
                 holder_sql(relation, is_hashed(relation, context.options), name_, context.options),
                 context.options.hold_limit);
    call.read_only = false;
    call.application_name = "kubectl-truenas-migrate proof";
    session_ = std::async(std::launch::async, [&context, call] { return context.runner.change(call); });
  }
  ~Holder() {
    if (session_.valid()) (void)end(false);
  }
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;

  // Waits until the lock is held; the WAL position that replicas must have replayed then.
  Result<std::string> wait_until_locked() {
    SqlCall call = control(lock_seen_sql(name_, context_.options));
    call.read_only = false;
    TM_TRY_ASSIGN(const SqlOutcome outcome, context_.runner.change(call));
    const std::string marker = parse_answer(outcome.rows).marker;
    if (outcome.failed || marker.empty()) return make_error(Kind::unavailable, outcome.message);
    return marker;
  }

  // Ends the session; true if it held the lock until now. wanted: its hash is waited for.
  bool end(bool wanted, Milliseconds* lock_held = nullptr) {
    bool held = false;
    // A session that starts late must be ended too: asked again until its psql is gone.
    for (bool first = true;
         first || session_.wait_for(std::chrono::milliseconds(50)) != std::future_status::ready;
         first = false) {
      const Outcome released = context_.runner.look(control(release_sql(name_, wanted, context_.options)));
      // Out of reach: the session ends by itself when its hold_limit has passed.
      if (!released) break;
      if (!first) continue;
      const Answer answer = parse_answer(released->rows);
      held = answer.still_held && !released->failed;
      if (lock_held != nullptr) *lock_held = answer.lock_held;
    }
    outcome_.emplace(session_.get());
    // psql was lost while its server process may go on.
    if (!*outcome_) (void)context_.runner.look(control(release_sql(name_, false, context_.options)));
    return held;
  }
  // After end().
  const Outcome& outcome() const { return *outcome_; }

 private:
  SqlCall control(std::string sql) const {
    SqlCall call = call_for(context_, context_.instances.primary, std::move(sql),
                            context_.options.hold_limit + context_.options.lock_timeout + Milliseconds{5000});
    call.database = "postgres";
    return call;
  }

  const ProofContext& context_;
  LockName name_;
  std::future<Outcome> session_;
  std::optional<Outcome> outcome_;
};

std::string holder_trouble(const Outcome& outcome, const Answer& answer) {
  if (!outcome) return outcome.error().what;
  if (answer.expired) return "the replicas needed longer than the lock may be held";
  if (!answer.locked) {
    return outcome->sqlstate == "55P03" ? "busy: the lock was not granted in time" : outcome->message;
  }
  if (!answer.hashed) return "the primary could not read it in time: " + outcome->message;
  return "";
}

}  // namespace

bool is_hashed(const Relation& relation, const ProofOptions& options) {
  return relation.bytes <= options.max_bytes;
}

Result<PassResult> pass_without_lock(const ProofContext& context, const std::vector<Relation>& relations) {
  PassResult result;
  SqlCall call = call_for(context, context.instances.primary,
                          pinned_settings() + "SET default_transaction_read_only = on;\n" +
                              contents_sql(relations, context.options) + marker_sql(),
                          context.options.statement_timeout);
  call.read_only = false;
  call.deadline += context.options.statement_timeout;
  TM_TRY_ASSIGN(const SqlOutcome primary, context.runner.change(call));
  Answer answer = parse_answer(primary.rows);
  if (answer.marker.empty()) {
    return make_error(
        Kind::unavailable,
        fmt::format("primary {}, database {}: {}", context.instances.primary, quote(context.database),
                    primary.message.empty() ? "no WAL position came back" : primary.message));
  }
  const std::string marker = answer.marker;
  result.answers[context.instances.primary] = std::move(answer);
  for (auto& [replica, outcome] :
       ask_replicas(context, marker, relations, context.options.statement_timeout)) {
    const std::string trouble = replica_trouble(replica, outcome);
    if (!trouble.empty()) return make_error(Kind::unavailable, trouble);
    result.answers[replica] = parse_answer(outcome->rows);
  }
  return result;
}

PassResult pass_with_lock(const ProofContext& context, const Relation& relation) {
  PassResult result;
  Holder holder(context, relation);
  const auto marker = holder.wait_until_locked();
  if (!marker) {
    (void)holder.end(false);
    result.trouble = holder.outcome() ? holder_trouble(holder.outcome(), parse_answer(holder.outcome()->rows))
                                      : holder.outcome().error().what;
    if (result.trouble.empty()) result.trouble = marker.error().what;
    return result;
  }
  const auto outcomes = ask_replicas(context, *marker, {relation}, context.options.hold_limit);
  for (const auto& [replica, outcome] : outcomes) {
    if (result.trouble.empty()) result.trouble = replica_trouble(replica, outcome);
    if (!outcome) continue;
    Answer answer = parse_answer(outcome->rows);
    if (result.trouble.empty() && !answer.contents.contains(relation.oid)) {
      result.trouble = fmt::format("replica {}: {}", replica, outcome->message);
    }
    result.answers[replica] = std::move(answer);
  }
  const bool held = holder.end(result.trouble.empty(), &result.lock_held);
  const Outcome& outcome = holder.outcome();
  const Answer answer = outcome ? parse_answer(outcome->rows) : Answer{};
  if (result.trouble.empty()) result.trouble = holder_trouble(outcome, answer);
  if (result.trouble.empty() && !held) result.trouble = "the lock was lost before the replicas had answered";
  result.answers[context.instances.primary] = answer;
  return result;
}

}  // namespace truenas::cnpg
