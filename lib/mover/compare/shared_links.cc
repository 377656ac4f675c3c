#include "lib/mover/compare/shared_links.h"

#include "lib/mover/attempt.h"

namespace truenas::mover {

std::string FirstNames::see(const Attributes& file, const std::string& path) {
  if (file.links < 2) return {};
  const auto [there, is_new] = first_.try_emplace(file.key(), path);
  return is_new ? std::string() : there->second;
}

std::optional<std::string> SharedLinks::see(const Attributes& source, const Attributes& target,
                                            const std::string& path) {
  if (source.links < 2 && target.links < 2) return std::nullopt;
  const auto [of_source, source_is_new] = of_source_.try_emplace(source.key(), Partner{target.key(), path});
  const auto [of_target, target_is_new] = of_target_.try_emplace(target.key(), Partner{source.key(), path});
  if (of_source->second.file != target.key()) {
    return "in the source it is the same file as " + shown(of_source->second.path) +
           ", in the target it is not";
  }
  if (of_target->second.file != source.key()) {
    return "in the target it is the same file as " + shown(of_target->second.path) +
           ", in the source it is not";
  }
  return std::nullopt;
}

}  // namespace truenas::mover
