#pragma once
// The volume mover as a program for each architecture, carried inside the plugin: nothing has to be pulled
// from a registry to run it. Built by scripts/mover.

#include <optional>
#include <string>
#include <string_view>

namespace truenas::storage {

enum class Architecture { amd64, arm64 };

// As Kubernetes names it (kubernetes.io/arch, node.status.nodeInfo.architecture): "amd64", "arm64".
std::string_view architecture_name(Architecture architecture);
// Nothing for an architecture without a mover.
std::optional<Architecture> find_architecture(std::string_view name);

// A static ELF program of less than 1 MiB; lives as long as the process.
std::string_view mover_binary(Architecture architecture);
// Lower-case hex SHA-256 of it, for names; computed on first use.
const std::string& mover_sha256(Architecture architecture);

}  // namespace truenas::storage
