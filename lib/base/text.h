#pragma once
// Small pure functions over text that every folder needs. No I/O, no locale, no domain.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace truenas {

// Splits at every separator; keeps empty parts; "" gives one empty part.
std::vector<std::string> split(std::string_view text, char separator);
std::string join(const std::vector<std::string>& parts, std::string_view separator);
std::string_view trim(std::string_view text);
std::string lower(std::string_view text);
bool contains(std::string_view text, std::string_view part);
// In double quotes, control characters (also ESC, which could drive a terminal) escaped, as Go's %q.
std::string quote(std::string_view text);
// The same without quotes: safe to print on a terminal. Server-supplied text passes through here.
std::string printable(std::string_view text);
// As one word of a POSIX shell: in single quotes where it needs them.
std::string shell_word(std::string_view word);
// "1 volume", "3 volumes".
std::string count_of(std::size_t count, std::string_view singular, std::string_view plural = "");
// The candidate nearest to `word` (Levenshtein distance at most a third of its length, at least 1), for "did
// you mean".
std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates);
// Lower-case hex SHA-256 (FIPS 180-4); for names and fingerprints.
std::string sha256_hex(std::string_view bytes);
// `name` if it has at most `limit` bytes, else cut and ended with "-" and 8 hex digits of its SHA-256, so
// that two long names stay different (Kubernetes names and label values: 63).
std::string cut_name(std::string_view name, std::size_t limit = 63);
// Standard base64 with padding (RFC 4648 §4). Decoding ignores CR and LF and refuses anything else (K8).
std::string base64_encode(std::string_view bytes);
std::optional<std::string> base64_decode(std::string_view text);
// Percent-encodes everything but RFC 3986 unreserved characters.
std::string percent_encode(std::string_view text);

}  // namespace truenas
