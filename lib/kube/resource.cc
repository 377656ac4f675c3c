#include "lib/kube/resource.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/text.h"

namespace truenas::kube {
namespace {

// H7: such a segment would change which object the path means.
Result<void> check_segment(std::string_view segment, std::string_view role) {
  if (segment == "." || segment == "..") {
    return make_error(Kind::usage, fmt::format("{} may not be {}", role, quote(segment)));
  }
  for (const char forbidden : {'/', '%'}) {
    if (segment.find(forbidden) != std::string_view::npos) {
      return make_error(Kind::usage,
                        fmt::format("{} {} may not contain '{}'", role, quote(segment), forbidden));
    }
  }
  return {};
}

const std::string& metadata_entry(const json::Value& object, std::string_view map, std::string_view key) {
  static const std::string none;
  const json::Value* metadata = object.find("metadata");
  const json::Value* entries = metadata == nullptr ? nullptr : metadata->find(map);
  const json::Value* entry = entries == nullptr ? nullptr : entries->find(key);
  return entry == nullptr ? none : entry->text();
}

std::string describe_kind(std::string_view kind, std::string_view ns, std::string_view name) {
  const std::string place = ns.empty() ? std::string(name) : fmt::format("{}/{}", ns, name);
  return fmt::format("{} {}", lower(kind), printable(place));
}

}  // namespace

Result<std::string> resource_path(const ResourceType& type, std::string_view ns, std::string_view name,
                                  std::string_view subresource) {
  TM_TRY(check_segment(ns, "namespace"));
  TM_TRY(check_segment(name, lower(type.kind) + " name"));
  TM_TRY(check_segment(subresource, "subresource"));
  if (type.namespaced && ns.empty() && !name.empty()) {
    return make_error(Kind::usage, fmt::format("{} {} needs a namespace", lower(type.kind), quote(name)));
  }
  std::string path = type.group.empty() ? fmt::format("/api/{}", type.version)
                                        : fmt::format("/apis/{}/{}", type.group, type.version);
  if (type.namespaced && !ns.empty()) path += "/namespaces/" + percent_encode(ns);
  path += fmt::format("/{}", type.plural);
  if (!name.empty()) path += "/" + percent_encode(name);
  if (!subresource.empty()) path += fmt::format("/{}", subresource);
  return path;
}

std::string describe(const ResourceType& type, std::string_view ns, std::string_view name) {
  return describe_kind(type.kind, type.namespaced ? ns : std::string_view(), name);
}

std::string describe(const json::Value& object) {
  const Identity identity = identity_of(object);
  const std::string& kind = object.text_at("/kind");
  return describe_kind(kind.empty() ? "object" : kind, identity.ns, identity.name);
}

std::string api_version(const ResourceType& type) {
  return type.group.empty() ? std::string(type.version) : fmt::format("{}/{}", type.group, type.version);
}

Identity identity_of(const json::Value& object) {
  return {object.text_at("/metadata/namespace"), object.text_at("/metadata/name"),
          object.text_at("/metadata/uid"), object.text_at("/metadata/resourceVersion")};
}

const std::string& label_of(const json::Value& object, std::string_view key) {
  return metadata_entry(object, "labels", key);
}

const std::string& annotation_of(const json::Value& object, std::string_view key) {
  return metadata_entry(object, "annotations", key);
}

std::vector<std::string> mounted_claims(const json::Value& pod_spec) {
  std::vector<std::string> claims;
  for (const json::Value& volume : pod_spec.items_at("/volumes")) {
    const std::string& claim = volume.text_at("/persistentVolumeClaim/claimName");
    if (!claim.empty() && std::find(claims.begin(), claims.end(), claim) == claims.end()) {
      claims.push_back(claim);
    }
  }
  return claims;
}

bool mounts(const json::Value& pod, std::string_view claim) {
  const auto& volumes = pod.items_at("/spec/volumes");
  return std::any_of(volumes.begin(), volumes.end(), [&](const json::Value& volume) {
    return volume.text_at("/persistentVolumeClaim/claimName") == claim;
  });
}

}  // namespace truenas::kube
