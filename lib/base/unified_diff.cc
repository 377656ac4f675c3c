#include "lib/base/unified_diff.h"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace truenas {
namespace {

using Lines = std::vector<std::string_view>;

constexpr std::size_t k_context = 3;
// Beyond this many pairs of lines the part that differs is shown as removed and added whole.
constexpr std::size_t k_most_pairs = 16u << 20;

struct Change {
  char sign;  // ' ', '-' or '+'
  std::string_view line;
};

Lines lines_of(std::string_view text) {
  Lines lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return lines;
}

// The lines from `first` on, without the last `last`: longest common subsequence from the end, then forwards.
void add_middle(const Lines& before, const Lines& after, std::size_t first, std::size_t last,
                std::vector<Change>& changes) {
  const std::size_t rows = before.size() - first - last, columns = after.size() - first - last;
  const bool whole = columns != 0 && rows > k_most_pairs / columns;
  std::vector<std::uint32_t> common(whole ? 0 : (rows + 1) * (columns + 1), 0);
  const auto at = [&](std::size_t row, std::size_t column) -> std::uint32_t& {
    return common[row * (columns + 1) + column];
  };
  for (std::size_t row = whole ? 0 : rows; row-- > 0;) {
    for (std::size_t column = columns; column-- > 0;) {
      at(row, column) = before[first + row] == after[first + column]
                            ? at(row + 1, column + 1) + 1
                            : std::max(at(row + 1, column), at(row, column + 1));
    }
  }
  std::size_t row = 0, column = 0;
  while (row < rows || column < columns) {
    const bool both = row < rows && column < columns;
    if (both && !whole && before[first + row] == after[first + column]) {
      changes.push_back({' ', before[first + row++]});
      ++column;
    } else if (row < rows && (!both || whole || at(row + 1, column) >= at(row, column + 1))) {
      changes.push_back({'-', before[first + row++]});
    } else {
      changes.push_back({'+', after[first + column++]});
    }
  }
}

std::vector<Change> changes_of(const Lines& before, const Lines& after) {
  const std::size_t shorter = std::min(before.size(), after.size());
  std::size_t first = 0, last = 0;
  while (first < shorter && before[first] == after[first]) ++first;
  while (last < shorter - first && before[before.size() - 1 - last] == after[after.size() - 1 - last]) ++last;
  std::vector<Change> changes;
  for (std::size_t i = 0; i < first; ++i) changes.push_back({' ', before[i]});
  add_middle(before, after, first, last, changes);
  for (std::size_t i = before.size() - last; i < before.size(); ++i) changes.push_back({' ', before[i]});
  return changes;
}

// "12,3"; an empty side names the line before it, as diff does.
std::string range_of(std::size_t begin, std::size_t count) {
  const std::string start = std::to_string(count == 0 ? begin : begin + 1);
  return count == 1 ? start : start + "," + std::to_string(count);
}

std::size_t lines_on(const std::vector<Change>& changes, std::size_t begin, std::size_t end, char other) {
  return static_cast<std::size_t>(std::count_if(changes.begin() + static_cast<std::ptrdiff_t>(begin),
                                                changes.begin() + static_cast<std::ptrdiff_t>(end),
                                                [&](const Change& change) { return change.sign != other; }));
}

// One past the last change of the hunk that begins with the change at `at`: changes with no more than twice
// the context between them belong together.
std::size_t end_of_hunk(const std::vector<Change>& changes, std::size_t at) {
  std::size_t end = at;
  for (std::size_t i = at; i < changes.size() && i <= end + 2 * k_context; ++i) {
    if (changes[i].sign != ' ') end = i + 1;
  }
  return end;
}

void append_line(std::string& text, const Change& change) {
  text += change.sign;
  text += change.line;
  if (!change.line.ends_with('\n')) text += "\n\\ No newline at end of file\n";
}

}  // namespace

std::string unified_diff(std::string_view path, std::string_view before, std::string_view after) {
  if (before == after) return "";
  const std::vector<Change> changes = changes_of(lines_of(before), lines_of(after));
  std::string text = "--- a/" + std::string(path) + "\n+++ b/" + std::string(path) + "\n";
  std::size_t done = 0, old_line = 0, new_line = 0;
  for (std::size_t at = 0; at < changes.size(); ++at) {
    if (changes[at].sign == ' ') continue;
    const std::size_t last_change = end_of_hunk(changes, at);
    const std::size_t begin = at - std::min(k_context, at - done),
                      end = std::min(changes.size(), last_change + k_context);
    old_line += lines_on(changes, done, begin, '+');
    new_line += lines_on(changes, done, begin, '-');
    const std::size_t old_count = lines_on(changes, begin, end, '+'),
                      new_count = lines_on(changes, begin, end, '-');
    text += "@@ -" + range_of(old_line, old_count) + " +" + range_of(new_line, new_count) + " @@\n";
    for (std::size_t i = begin; i < end; ++i) append_line(text, changes[i]);
    old_line += old_count;
    new_line += new_count;
    done = end;
    at = end - 1;
  }
  return text;
}

}  // namespace truenas
