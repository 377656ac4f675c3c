#pragma once
// One round of questions to all instances, without and with a lock. Private to lib/cnpg: proof.cc decides
// what is asked again and what an answer means.

#include "lib/cnpg/proof.h"
#include "lib/cnpg/proof_sql.h"

namespace truenas::cnpg {

// Whom and how to ask, in one database. References must outlive it.
struct ProofContext {
  const SqlRunner& runner;
  const ProofInstances& instances;
  const ProofOptions& options;
  std::string database;
};

// Contents by instance, and what went wrong where something is missing.
struct PassResult {
  std::map<std::string, Answer> answers;
  std::string trouble;  // of a locked pass: why it proves nothing; "" where it does
  Milliseconds lock_held{0};
};

bool is_hashed(const Relation& relation, const ProofOptions& options);

// Hashes on the primary, then on each replica once it has replayed past what the primary had hashed. A
// relation that could not be read (dropped meanwhile, timed out) is missing from an answer. Kind::unavailable
// when an instance does not answer or does not replay in time.
Result<PassResult> pass_without_lock(const ProofContext& context, const std::vector<Relation>& relations);

// The same for one table while the primary holds a SHARE lock on it: what is missing or different then is not
// explained by writers. Never leaves the session behind. The answers count only where trouble is empty.
PassResult pass_with_lock(const ProofContext& context, const Relation& relation);

}  // namespace truenas::cnpg
