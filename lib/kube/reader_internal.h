#pragma once
// What the parts of Reader share: how a reading call is set out. Private to lib/kube.

#include <string>

#include "lib/kube/reader.h"
#include "lib/kube/status.h"

namespace truenas::kube {

// "get pods coder/x", "list pods coder", "list nodes": the text in parentheses of a message (S3).
std::string call_name(std::string_view verb, const ResourceType& type, std::string_view ns,
                      std::string_view name);
// labelSelector and fieldSelector where given.
void add_selectors(Call& call, const ListOptions& options);
// A 404 proves that `name` is absent only if the Status names it. A proxy's page, or the server's own answer
// about a path that it does not serve (a Status without details), proves nothing: turned into unavailable.
Error doubt_absence(Error error, const Status& status, std::string_view name);
// S6, for a collection that the server answered with a bare 404.
Error unknown_resource(const ResourceType& type);

// Whether a SelfSubjectAccessReview or SubjectAccessReview (`type`; whose, is in `spec`) allows what is
// asked.
Result<bool> review_access(Session& session, const ResourceType& type, json::Value spec,
                           const AccessQuery& query, std::string what);

}  // namespace truenas::kube
