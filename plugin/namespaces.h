#pragma once
// --namespace and --all-namespaces of commands that look at several namespaces.

#include <string>
#include <vector>

#include "lib/kube/reader.h"
#include "plugin/arguments.h"

namespace truenas::plugin {

// The namespaces to look at; empty: all (-A). Those of `defaults` that do not exist are left out with a note
// on stderr. Kind::not_found for a namespace that was named and does not exist (it holds nothing, but a
// misspelt one must not look finished), and when no default one exists. A namespace that the user may not
// get is taken as given: listing in it will tell.
Result<std::vector<std::string>> choose_namespaces(const kube::Reader& reader, const Arguments& arguments,
                                                   const std::string& command,
                                                   const std::vector<std::string>& defaults);

}  // namespace truenas::plugin
