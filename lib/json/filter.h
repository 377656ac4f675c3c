#pragma once
// Which parts of an item are wanted (ListReader): JSON pointers as a tree to walk along while reading.
// Private to lib/json.

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"

namespace truenas::json {

class Filter {
 public:
  struct Node {
    bool everything = false;  // a wanted pointer ends here
    std::map<std::string, std::unique_ptr<Node>, std::less<>> children;
    const Node* find(std::string_view token) const;
  };
  // The nodes that one place of the document stands on ("*" and a name may both match).
  using Place = std::vector<const Node*>;

  // Kind::bug when a pointer is malformed. No pointers at all: everything is wanted.
  static Result<Filter> make(const std::vector<std::string>& wanted);
  Place root() const { return {&root_}; }
  // The place below `place` at `token`; empty when nothing there is wanted.
  static Place below(const Place& place, std::string_view token);
  static bool everything(const Place& place);

 private:
  Node root_;
};

}  // namespace truenas::json
