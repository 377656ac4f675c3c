#pragma once
// Which workspace a name speaks of: the shapes that Coder's templates have given to claims and workloads over
// the years (facts 1.1). Pure; a name is a hint about whose a claim is, and no proof that it is a
// workspace's.

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace truenas::coder {

struct WorkspaceName {
  std::string_view shape;        // the row of the table: "coder-<id>-home"
  std::string id;                // the workspace's UUID; "" where the name has none
  std::string owner, workspace;  // "" where the name has none, or leaves open where one ends
  std::string joined;            // "carol-docker": owner and workspace as the name has them; "" for none
};

// A row of the table, in the order in which rows are tried.
struct NameShape {
  enum class Middle { id, id_and_more, owner_and_workspace, owner_twice };
  std::string_view text, prefix, suffix;
  Middle middle;
};
std::span<const NameShape> claim_name_shapes();

// nullopt: of none of these shapes. Owner and workspace may both have hyphens: they are told apart only where
// one hyphen is all there is.
std::optional<WorkspaceName> read_claim_name(std::string_view name);
// The name of a workload or Pod ("coder-<id>", "coder-<id>-5d9f8c-x2x4z"): only an id is read from it.
std::string read_workload_id(std::string_view name);
// Whether the text begins with a UUID as Kubernetes names have it: 8-4-4-4-12 lower-case hex digits.
bool starts_with_uuid(std::string_view text);

}  // namespace truenas::coder
