#pragma once
// View: typed, named access to a document of which something is demanded. Every failure names the source and
// the place: "reply to GET persistentvolumes/pv-1: /spec/csi/volumeHandle: expected string, found nothing".
// It owns nothing and must not outlive its Value.

#include <cstdint>
#include <string>

#include "lib/json/value.h"

namespace truenas::json {

class View {
 public:
  View(const Value& root, std::string source) : value_(&root), source_(std::move(source)) {}

  // Demanded: Kind::format when absent, null or of another type.
  Result<std::string> get_string(std::string_view pointer) const;
  Result<std::int64_t> get_integer(std::string_view pointer) const;
  Result<bool> get_boolean(std::string_view pointer) const;
  Result<View> get_object(std::string_view pointer) const;
  Result<std::vector<View>> get_items(std::string_view pointer) const;
  // Optional: the fallback when absent or null, Kind::format when of another type.
  Result<std::string> find_string(std::string_view pointer, std::string fallback = "") const;
  Result<std::int64_t> find_integer(std::string_view pointer, std::int64_t fallback = 0) const;
  Result<bool> find_boolean(std::string_view pointer, bool fallback = false) const;
  // An object of strings (labels, annotations, parameters); empty when absent, Kind::format when a value is
  // no string.
  Result<std::vector<std::pair<std::string, std::string>>> find_strings(std::string_view pointer) const;

  const Value& value() const { return *value_; }
  const std::string& source() const { return source_; }
  const std::string& place() const { return place_; }

 private:
  View(const Value* value, std::string source, std::string place)
      : value_(value), source_(std::move(source)), place_(std::move(place)) {}
  const Value* value_;
  std::string source_;
  std::string place_;  // pointer from the document's root to value_
};

}  // namespace truenas::json
