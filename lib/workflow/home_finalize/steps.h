#pragma once
// The steps of giving an old volume up, one function each. Pure; private to this folder.

#include "lib/workflow/home_finalize.h"

namespace truenas::workflow {

engine::Step restore_policy(const FinalizeWorld& world);
engine::Step unmark(const FinalizeWorld& world);
// By the old driver, with its dataset.
engine::Step delete_data(const FinalizeWorld& world);
// The object alone.
engine::Step delete_object(const FinalizeWorld& world);
// Both volumes, by a mover; changes neither.
engine::Step compare_again(const FinalizeWorld& world, const FinalizeOptions& options);
// What a killed comparison has made.
engine::Step remove_check(const FinalizeWorld& world, const FinalizeOptions& options);
engine::Step note_finalized(const FinalizeWorld& world, const FinalizeOptions& options);
engine::Wait wait_for_gone(const FinalizeWorld& world);

}  // namespace truenas::workflow
