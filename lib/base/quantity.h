#pragma once
// Kubernetes resource quantities and the durations and sizes people read. Pure; no rounding that loses a byte
// silently.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "lib/base/result.h"

namespace truenas {

// Bytes of a resource.Quantity ("10Gi", "1500M", "1e3", "0.5Gi"), rounded up as Kubernetes does; negative and
// overflowing (> 2^63-1) quantities are errors.
Result<std::int64_t> parse_quantity(std::string_view text);
// "10Gi", "1.5Gi", "512Mi", "17": binary suffixes, at most one decimal, for people.
std::string format_bytes(std::int64_t bytes);
// kubectl's HumanDuration (O4b): "119s", "5m3s", "3d4h".
std::string format_age(std::chrono::seconds age);
// "0.4s", "12s", "3m05s", "1h02m": for elapsed times in progress lines.
std::string format_elapsed(std::chrono::milliseconds elapsed);
// kubectl's --request-timeout and --timeout (P3): an integer is seconds, else a Go duration ("1h30m", "2.5s",
// "300ms"). "0" is zero. Negative values are errors.
Result<std::chrono::milliseconds> parse_duration(std::string_view text);

}  // namespace truenas
