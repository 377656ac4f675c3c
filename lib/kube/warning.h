#pragma once
// The server's warnings (D7): RFC 7234 Warning headers with code 299. Pure.

#include <string>
#include <string_view>
#include <vector>

namespace truenas::kube {

// The texts in one Warning header, which may carry several: `299 - "a", 299 - "b" "date"`. What cannot be
// understood ends the reading; other codes are left out.
std::vector<std::string> parse_warnings(std::string_view header);

}  // namespace truenas::kube
