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
// An answer that claims an object absent without a Status object is no such proof: turned into unavailable.
Error doubt_bare_404(Error error, const Status& status);
// S6, for a collection that the server answered with a bare 404.
Error unknown_resource(const ResourceType& type);

}  // namespace truenas::kube
