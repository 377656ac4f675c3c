#include "lib/storage/quota_refusal.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "lib/base/quantity.h"
#include "lib/base/text.h"

namespace truenas::storage {
namespace {

using Amounts = std::map<std::string, std::int64_t, std::less<>>;

// "persistentvolumeclaims=2,requests.storage=3Gi" after `heading`, up to the next heading; nullopt where it
// cannot be read.
std::optional<Amounts> amounts_after(std::string_view text, std::string_view heading) {
  const std::size_t at = text.find(heading);
  if (at == std::string_view::npos) return std::nullopt;
  std::string_view list = text.substr(at + heading.size());
  list = list.substr(0, list.find_first_of(" \n;"));
  if (list.ends_with(',')) list.remove_suffix(1);
  Amounts amounts;
  while (!list.empty()) {
    const std::string_view part = list.substr(0, list.find(','));
    list.remove_prefix(part.size() == list.size() ? part.size() : part.size() + 1);
    const std::size_t equals = part.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const auto amount = parse_quantity(std::string(part.substr(equals + 1)));
    if (!amount.ok()) return std::nullopt;
    amounts[std::string(part.substr(0, equals))] = *amount;
  }
  return amounts;
}

}  // namespace

bool fits_in_place(std::string_view refusal, bool same_class) {
  if (!contains(refusal, "exceeded quota: ")) return false;
  const auto used = amounts_after(refusal, ", used: "), limited = amounts_after(refusal, ", limited: ");
  if (!used || !limited || used->empty()) return false;
  for (const auto& [resource, amount] : *used) {
    if (!same_class && contains(resource, ".storageclass.")) return false;
    const auto limit = limited->find(resource);
    if (limit == limited->end() || amount > limit->second) return false;
  }
  return true;
}

}  // namespace truenas::storage
