#include "lib/cnpg/proof_compare.h"

#include <algorithm>

#include "lib/base/interrupt.h"

namespace truenas::cnpg {
namespace {

// How far a sequence's WAL record runs ahead of it (SEQ_LOG_VALS).
constexpr int k_sequence_ahead = 32;

// Takes what each instance holds out of a pass; false when one of them did not say.
bool take_contents(const ProofContext& context, const Relation& relation, const PassResult& pass,
                   RelationProof& proof) {
  proof.held.clear();
  std::vector<std::string> all{context.instances.primary};
  all.insert(all.end(), context.instances.replicas.begin(), context.instances.replicas.end());
  for (const std::string& instance : all) {
    const auto answer = pass.answers.find(instance);
    if (answer == pass.answers.end()) return false;
    const auto content = answer->second.contents.find(relation.oid);
    if (content == answer->second.contents.end()) return false;
    proof.held[instance] = content->second;
  }
  return true;
}

bool all_equal(const RelationProof& proof) {
  return std::ranges::all_of(proof.held,
                             [&](const auto& entry) { return entry.second == proof.held.begin()->second; });
}

void set_equal(const ProofContext& context, const Relation& relation, RelationProof& proof) {
  proof.verdict = ProofVerdict::equal;
  proof.why.clear();
  if (is_hashed(relation, context.options)) return;
  proof.verdict = ProofVerdict::only_counted;
  proof.why = "larger than the proof hashes; counted only";
}

// The lock decides: two locked comparisons that both differ are a difference.
void compare_locked(const ProofContext& context, const Relation& relation, RelationProof& proof) {
  int differing = 0;
  for (int attempt = 0; attempt < context.options.attempts && !interrupted(); ++attempt) {
    const PassResult pass = pass_with_lock(context, relation);
    proof.lock_held = std::max(proof.lock_held, pass.lock_held);
    if (!pass.trouble.empty()) {
      proof.why = pass.trouble;
      continue;
    }
    RelationProof seen = proof;
    if (!take_contents(context, relation, pass, seen)) {
      proof.why = "an instance could not read it";
      continue;
    }
    proof.held = seen.held;
    proof.locked = true;
    if (all_equal(proof)) return set_equal(context, relation, proof);
    if (++differing < 2) continue;
    break;
  }
  if (differing == 0) return;
  proof.verdict = ProofVerdict::different;
  proof.why = "a replica differs from the primary while nobody could write";
}

// Materialized views cannot be locked by hand: asked again, because a refresh is rare.
Result<void> compare_again(const ProofContext& context, const Relation& relation, RelationProof& proof) {
  for (int attempt = 0; attempt < context.options.attempts && !interrupted(); ++attempt) {
    TM_TRY_ASSIGN(const PassResult pass, pass_without_lock(context, {relation}));
    if (!take_contents(context, relation, pass, proof)) continue;
    if (all_equal(proof)) {
      set_equal(context, relation, proof);
      return {};
    }
  }
  proof.why = "differs between instances, and cannot be locked: it is being refreshed, or it differs";
  return {};
}

// Judges a sequence: what the primary said before the replicas were asked, and what it says afterwards.
ProofVerdict judge_sequence(const ProofContext& context, const Relation& sequence, const RelationProof& proof,
                            std::int64_t after) {
  const std::int64_t before = proof.held.at(context.instances.primary).rows;
  for (const std::string& replica : context.instances.replicas) {
    const std::int64_t value = proof.held.at(replica).rows;
    if (compare_sequence(before, after, value, sequence.increment) != ProofVerdict::equal)
      return ProofVerdict::different;
  }
  return ProofVerdict::equal;
}

Result<void> compare_sequence_of(const ProofContext& context, const Relation& sequence, PassResult pass,
                                 RelationProof& proof) {
  for (int attempt = 0; attempt < context.options.attempts && !interrupted(); ++attempt) {
    if (attempt > 0) {
      TM_TRY_ASSIGN(pass, pass_without_lock(context, {sequence}));
    }
    if (!take_contents(context, sequence, pass, proof)) {
      proof.why = "an instance could not read it";
      continue;
    }
    const std::int64_t before = proof.held.at(context.instances.primary).rows;
    proof.verdict = judge_sequence(context, sequence, proof, before);
    if (proof.verdict != ProofVerdict::equal) {
      // Clients took values while the replicas were asked: what the primary has now bounds what they can
      // have.
      SqlCall call;
      call.instance = context.instances.primary;
      call.database = context.database;
      call.sql = sequence_sql(sequence);
      TM_TRY_ASSIGN(const auto rows, query(context.runner, call));
      const Answer after = parse_answer(rows);
      const auto now = after.contents.find(sequence.oid);
      if (now != after.contents.end())
        proof.verdict = judge_sequence(context, sequence, proof, now->second.rows);
    }
    proof.why =
        proof.verdict == ProofVerdict::equal ? "" : "a replica is behind, or more than 32 values ahead";
    if (proof.verdict == ProofVerdict::equal) return {};
  }
  return {};
}

}  // namespace

RelationProof start_proof(const ProofContext& context, const Relation& relation) {
  RelationProof proof;
  proof.type = relation.type;
  proof.database = context.database;
  proof.name = relation.name;
  proof.bytes = relation.bytes;
  if (relation.unlogged) {
    proof.verdict = ProofVerdict::not_comparable;
    proof.why = "unlogged: replicas do not have its rows";
  } else if (!relation.populated) {
    proof.verdict = ProofVerdict::not_comparable;
    proof.why = "a materialized view that was never filled";
  }
  return proof;
}

Result<RelationProof> compare_relation(const ProofContext& context, const Relation& relation,
                                       const PassResult& pass) {
  using Type = RelationProof::Type;
  RelationProof proof = start_proof(context, relation);
  if (relation.type == Type::sequence) {
    TM_TRY(compare_sequence_of(context, relation, pass, proof));
  } else if (take_contents(context, relation, pass, proof) && all_equal(proof)) {
    set_equal(context, relation, proof);
  } else if (relation.type == Type::materialized_view) {
    TM_TRY(compare_again(context, relation, proof));
  } else {
    compare_locked(context, relation, proof);
  }
  return proof;
}

ProofVerdict compare_sequence(std::int64_t before, std::int64_t after, std::int64_t replica,
                              std::int64_t increment) {
  // Of a descending sequence "ahead" is downwards. 128 bits: the ends of bigint are 2^64 apart.
  __extension__ using Wide = __int128;
  const Wide direction = increment < 0 ? -1 : 1;
  const Wide step = increment < 0 ? -static_cast<Wide>(increment) : static_cast<Wide>(increment);
  const Wide behind = direction * (static_cast<Wide>(replica) - before);
  const Wide ahead = direction * (static_cast<Wide>(replica) - after);
  return behind >= 0 && ahead <= k_sequence_ahead * step ? ProofVerdict::equal : ProofVerdict::different;
}

}  // namespace truenas::cnpg
