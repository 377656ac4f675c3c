#pragma once
// A StorageClassReview, and the change of a class, as text and documents. Pure; what is in them was decided
// in lib/workflow.

#include <optional>
#include <string>

#include "lib/engine/outcome.h"
#include "lib/engine/plan.h"
#include "lib/json/value.h"
#include "lib/workflow/storage_class_review.h"

namespace truenas::report {

// Tables: the class, its differences, its driver, who depends on it, the volumes of the class that is left;
// then notes, one a line. `wide` adds columns.
std::string render_class_review(const workflow::StorageClassReview& review, bool wide, bool headers);
// {apiVersion: truenas-migrate/v1, kind: StorageClassReview, name, exists, same, differences, …, manifest}.
json::Value class_review_document(const workflow::StorageClassReview& review);
// One line: "storageclass x differs from the wanted one in 3 fields, 2 of them immutable".
std::string class_review_summary(const workflow::StorageClassReview& review);

// Title, downtime and notes of a plan that changes the class.
void describe_class_plan(engine::Plan& plan, const workflow::StorageClassReview& review,
                         const workflow::ClassOptions& options);
// The runs that the journal remembers, oldest first, and, while one is unfinished, what is next.
std::string render_class_status(const workflow::StorageClassWorld& world,
                                const workflow::ClassOptions& options, const engine::Next& next);
json::Value class_status_document(const workflow::StorageClassWorld& world,
                                  const workflow::ClassOptions& options, const engine::Next& next);
// {kind: StorageClassChange, outcome, review}; also of a run that did not reach its end.
json::Value class_result_document(const engine::Outcome& outcome,
                                  const std::optional<workflow::StorageClassReview>& review);

}  // namespace truenas::report
