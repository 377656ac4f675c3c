#pragma once
// StepLog: where a run writes down what it is about to do and what came of it. The journal (journal_store.h)
// is one; a run without a journal has none. It must not decide anything.

#include <string_view>

#include "lib/base/result.h"
#include "lib/engine/workflow.h"

namespace truenas::engine {

class StepLog {
 public:
  virtual ~StepLog() = default;
  // Written before the act; while this fails, the act does not happen.
  virtual Result<void> note_intent(const Step& step) = 0;
  // Written after the act, also when it failed; `outcome` is "ok" or the error's text.
  virtual Result<void> note_done(const Step& step, std::string_view outcome) = 0;
};

}  // namespace truenas::engine
