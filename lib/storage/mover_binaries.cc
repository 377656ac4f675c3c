#include "lib/storage/mover_binaries.h"

#include "lib/base/text.h"

// mover_binaries.S
extern "C" {
extern const char truenas_mover_amd64[], truenas_mover_amd64_end[];
extern const char truenas_mover_arm64[], truenas_mover_arm64_end[];
}

namespace truenas::storage {

std::string_view architecture_name(Architecture architecture) {
  return architecture == Architecture::amd64 ? "amd64" : "arm64";
}

std::optional<Architecture> find_architecture(std::string_view name) {
  for (const Architecture architecture : {Architecture::amd64, Architecture::arm64}) {
    if (architecture_name(architecture) == name) return architecture;
  }
  return std::nullopt;
}

std::string_view mover_binary(Architecture architecture) {
  if (architecture == Architecture::amd64) {
    return {truenas_mover_amd64, static_cast<std::size_t>(truenas_mover_amd64_end - truenas_mover_amd64)};
  }
  return {truenas_mover_arm64, static_cast<std::size_t>(truenas_mover_arm64_end - truenas_mover_arm64)};
}

const std::string& mover_sha256(Architecture architecture) {
  static const std::string amd64 = sha256_hex(mover_binary(Architecture::amd64));
  static const std::string arm64 = sha256_hex(mover_binary(Architecture::arm64));
  return architecture == Architecture::amd64 ? amd64 : arm64;
}

}  // namespace truenas::storage
