#pragma once
// Homes whose move has begun and not ended, found by their journals: their claims may be absent just now, so
// that no list of claims has them. It reads, and decides nothing about moving them.

#include <optional>
#include <string>
#include <vector>

#include "plugin/workspaces_chosen.h"

namespace truenas::plugin {

// The one of this claim; its workspace is the journal's. nullopt: it is not under way.
Result<std::optional<ChosenHome>> find_under_way(const kube::Reader& reader, const CoderConnection& coder,
                                                 const std::string& cluster_uid, const std::string& ns,
                                                 const std::string& claim);
// Where homes of this claim's name have a journal: for a search in all namespaces, where no claim may be
// there to be found.
Result<std::vector<std::string>> namespaces_of_journals(const kube::Reader& reader, const std::string& claim);
// Those that are absent because of their exchange and that options select by labels, by pattern, or as
// OWNER/WORKSPACE: by what the claims were before. Kind::usage where there are some and the selector
// cannot be read here.
Result<std::vector<ChosenHome>> find_absent(const kube::Reader& reader, const CoderConnection& coder,
                                            const std::string& cluster_uid,
                                            const workflow::WorkspaceOptions& options);

}  // namespace truenas::plugin
