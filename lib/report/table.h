#pragma once
// Table: columns as kubectl prints them (O4): at least 6 wide, 3 spaces apart, upper-case headers, "<none>"
// for nothing, control characters of hostile names escaped. Pure text.

#include <string>
#include <vector>

namespace truenas::report {

struct Table {
  std::vector<std::string> headers;
  std::vector<std::vector<std::string>> rows;  // each as long as headers
};

// Ends with a newline when there is any line. `headers` false leaves the header line out.
std::string render(const Table& table, bool headers = true);

}  // namespace truenas::report
