#pragma once
// A Verification as text or document. Pure; the exit code is the caller's business (Verification::left).

#include <string>

#include "lib/json/value.h"
#include "lib/workflow/verification.h"

namespace truenas::report {

// Up to four tables (claims, database clusters, old volumes, shared datasets) and one line of summary; `wide`
// adds columns.
std::string render_verification(const workflow::Verification& verification, bool wide, bool headers);
// "persistentvolumeclaim/x" a line, all that was looked at (-o name).
std::string render_verification_names(const workflow::Verification& verification);
// {apiVersion: truenas-migrate/v1, kind: Verification, claims, clusters, oldVolumes, sharedDatasets,
// classProbe, notes, summary}.
json::Value verification_document(const workflow::Verification& verification);
// One line: "5 claims left, 3 moved; …", also what to do next.
std::string verification_summary(const workflow::Verification& verification);

}  // namespace truenas::report
