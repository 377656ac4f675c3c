#pragma once
// What probing a class found, as text and document. Pure.

#include <string>
#include <vector>

#include "lib/engine/plan.h"
#include "lib/json/value.h"
#include "lib/workflow/class_probe.h"

namespace truenas::report {

struct ProbedClass {
  workflow::ClassFinding finding;
  std::vector<std::string> advice;  // workflow::probe_advice
};

// What a probe makes and removes, for consent before it; it is noted in namespace `journal_ns`.
engine::Plan probe_plan(const workflow::ProbeRequest& request, const std::string& journal_ns);
// One table, then failures and advice, a line each.
std::string render_probe(const std::vector<ProbedClass>& classes, bool headers);
// {kind: StorageClassProbe, classes: [{storageClass, verdict, text, facts, counts, advice} or {storageClass,
// failed}]}.
json::Value probe_document(const std::vector<ProbedClass>& classes);

}  // namespace truenas::report
