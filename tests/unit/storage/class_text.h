#pragma once
// Classes for tests, as YAML.

#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "lib/storage/class_document.h"
#include "lib/storage/class_wanted.h"
#include "tests/unit/yaml.h"

namespace truenas::storage {

inline StorageClass read(const json::Value& object) {
  auto parsed = read_storage_class(object, "test");
  REQUIRE_MESSAGE(parsed.ok(), json::write(object));
  return std::move(parsed).value();
}

// The runbook's class with these parameters instead ("{protocol: nfs}") and these members over it.
inline StorageClass class_with(std::string_view parameters, std::string_view members = "{}") {
  json::Value object = runbook_class("truenas-csi-nfs");
  object.set("parameters", yaml(parameters));
  return read(json::apply_merge_patch(object, yaml(members)));
}

}  // namespace truenas::storage
