#include "lib/json/filter.h"

#include <algorithm>

#include "lib/json/value_internal.h"

namespace truenas::json {

const Filter::Node* Filter::Node::find(std::string_view token) const {
  const auto found = children.find(token);
  return found != children.end() ? found->second.get() : nullptr;
}

Result<Filter> Filter::make(const std::vector<std::string>& wanted) {
  Filter filter;
  filter.root_.everything = wanted.empty();
  for (const std::string& pointer : wanted) {
    const auto tokens = pointer_tokens(pointer);
    if (!tokens) return make_error(Kind::bug, "malformed JSON pointer " + pointer);
    Node* node = &filter.root_;
    for (const std::string& token : *tokens) {
      std::unique_ptr<Node>& child = node->children[token];
      if (!child) child = std::make_unique<Node>();
      node = child.get();
    }
    node->everything = true;
  }
  return filter;
}

Filter::Place Filter::below(const Place& place, std::string_view token) {
  Place next;
  for (const Node* node : place) {
    if (const Node* named = node->find(token)) next.push_back(named);
    if (const Node* any = node->find("*"); any != nullptr && token != "*") next.push_back(any);
  }
  return next;
}

bool Filter::everything(const Place& place) {
  return std::any_of(place.begin(), place.end(), [](const Node* node) { return node->everything; });
}

}  // namespace truenas::json
