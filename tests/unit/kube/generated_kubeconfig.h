#pragma once
// Kubeconfigs, environments and flags made up from a seed: the same for the same seed on every machine.

#include <cstdint>

#include "tests/unit/kube/kubeconfig_case.h"
#include "tests/unit/kube/temporary_folder.h"

namespace truenas::kube::test {

struct GeneratorOptions {
  bool certificate_flags = true;  // T4: kubectl before 1.34 refuses them over data
  bool extra_flags = true;        // --as-user-extra: kubectl before 1.34 lacks it
};

// Writes the files of one made-up case below `folder` and returns the case; nothing is expected of it yet.
KubeconfigCase generate_case(std::uint32_t seed, const TemporaryFolder& folder,
                             const GeneratorOptions& options);

}  // namespace truenas::kube::test
