#include "lib/json/sax_builder.h"

#include "lib/json/value_internal.h"

namespace truenas::json {

bool SaxBuilder::RawNumber(const char* text, unsigned length, bool) {
  if (skipping_ > 0) return true;
  return scalar(Value::number(std::string(text, length)));
}

bool SaxBuilder::String(const char* text, unsigned length, bool) {
  if (skipping_ > 0) return true;
  return scalar(Value(std::string(text, length)));
}

bool SaxBuilder::Key(const char* text, unsigned length, bool) {
  if (skipping_ == 0) frames_.back().key.assign(text, length);
  return true;
}

bool SaxBuilder::EndObject(unsigned) {
  return close();
}
bool SaxBuilder::EndArray(unsigned) {
  return close();
}

SaxBuilder::Want SaxBuilder::want_next() const {
  if (filter_ == nullptr) return {};
  if (frames_.empty()) {
    Filter::Place root = filter_->root();
    const bool everything = Filter::everything(root);
    return {true, everything, std::move(root)};
  }
  const Frame& frame = frames_.back();
  if (frame.everything) return {};
  const std::string token =
      frame.container.is_array() ? std::to_string(frame.container.items().size()) : frame.key;
  Filter::Place place = Filter::below(frame.place, token);
  const bool everything = Filter::everything(place);
  const bool wanted = !place.empty();
  return {wanted, everything, std::move(place)};
}

bool SaxBuilder::open(Value container) {
  if (frames_.size() + skipping_ >= k_depth_limit) {
    too_deep_ = true;
    return false;
  }
  if (skipping_ > 0) {
    ++skipping_;
    return true;
  }
  Want want = want_next();
  if (!want.wanted) {
    // An unwanted element leaves null behind, so that the indices of the wanted ones hold.
    if (frames_.back().container.is_array()) put(Value());
    ++skipping_;
    return true;
  }
  frames_.push_back(Frame{std::move(container), {}, std::move(want.place), want.everything});
  return true;
}

bool SaxBuilder::close() {
  if (skipping_ > 0) {
    --skipping_;
    return true;
  }
  Frame frame = std::move(frames_.back());
  frames_.pop_back();
  if (Value::Object* members = ValueAccess::object(frame.container)) drop_repeated_keys(*members);
  put(std::move(frame.container));
  return true;
}

bool SaxBuilder::scalar(Value value) {
  if (skipping_ > 0) return true;
  // A scalar where a pointer leads deeper is kept: a malformed object must not look like an absent one.
  if (!want_next().wanted) {
    if (frames_.back().container.is_array()) put(Value());
    return true;
  }
  put(std::move(value));
  return true;
}

void SaxBuilder::put(Value value) {
  if (frames_.empty()) {
    result_ = std::move(value);
    return;
  }
  Frame& frame = frames_.back();
  if (Value::Array* items = ValueAccess::array(frame.container)) {
    items->push_back(std::move(value));
  } else {
    ValueAccess::object(frame.container)->emplace_back(std::move(frame.key), std::move(value));
  }
}

}  // namespace truenas::json
