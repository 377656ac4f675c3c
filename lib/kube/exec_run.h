#pragma once
// Running a command in a container, for Reader::inspect and Writer::exec, which are the only callers: whoever
// calls this directly goes past the permit. Private to lib/kube.

#include "lib/kube/exec.h"
#include "lib/kube/reader.h"

namespace truenas::kube {

// look: a lost connection is Kind::unavailable and may be tried again. change: it is Kind::outcome_unknown,
// and an interrupt waits for the command's end.
enum class ExecPurpose { look, change };

// The container: as asked for, else by X7. Kind::refused for a completed pod or a server that refuses the
// upgrade.
Result<ExecResult> run_in_container(const Reader& reader, const ExecRequest& request, ExecPurpose purpose);

}  // namespace truenas::kube
