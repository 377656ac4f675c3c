#include "lib/mover/copy/left_out.h"

namespace truenas::mover {

bool holds_left_out(const std::set<std::string>& leave_out, const std::string& directory) {
  if (leave_out.empty() || directory == ".") return !leave_out.empty();
  const std::string start = directory + "/";
  const auto at = leave_out.lower_bound(start);
  return at != leave_out.end() && at->starts_with(start);
}

}  // namespace truenas::mover
