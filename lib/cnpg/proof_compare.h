#pragma once
// Judges one relation from what the instances said, asking again, at last under a lock, where they do not
// agree. Private to lib/cnpg.

#include "lib/cnpg/proof_pass.h"

namespace truenas::cnpg {

// The proof of a relation before anybody was asked: final for those that replicas cannot have.
RelationProof start_proof(const ProofContext& context, const Relation& relation);
// `pass` has asked about it without a lock. Kind::unavailable when an instance stops answering.
Result<RelationProof> compare_relation(const ProofContext& context, const Relation& relation,
                                       const PassResult& pass);

}  // namespace truenas::cnpg
