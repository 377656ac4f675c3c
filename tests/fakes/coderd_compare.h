#pragma once
// What differs between a claim as a text wants it and the live one, by the provider's rules (facts 2.1).
// Private to coderd_terraform.

#include "tests/fakes/coderd_terraform.h"

namespace truenas::fakes {

struct ClaimDifference {
  std::vector<std::string> forced;  // log lines, one for each that forces a replacement
  json::Value patch = json::Value::array();
};
ClaimDifference compare_claim(const WantedClaim& wanted, const json::Value& live);

}  // namespace truenas::fakes
