#include "lib/storage/cutover_record.h"

#include <fmt/format.h>

#include <array>

#include "lib/json/view.h"
#include "lib/kube/resource.h"

namespace truenas::storage {
namespace {

using json::Value;

constexpr std::size_t k_limit = std::size_t{128} * 1024;  // bytes; half of what an object may have

struct Field {
  const char* name;
  std::string CutoverRecord::*member;
  bool demanded;
};

constexpr std::array k_fields = {
    Field{"what", &CutoverRecord::what, true},
    Field{"clusterUid", &CutoverRecord::cluster_uid, true},
    Field{"namespace", &CutoverRecord::ns, true},
    Field{"claim", &CutoverRecord::claim, true},
    Field{"claimUid", &CutoverRecord::claim_uid, true},
    Field{"fromClass", &CutoverRecord::from_class, false},
    Field{"fromVolume", &CutoverRecord::from_volume, true},
    Field{"fromVolumeUid", &CutoverRecord::from_volume_uid, true},
    Field{"fromPolicy", &CutoverRecord::from_policy, true},
    Field{"fromDataset", &CutoverRecord::from_dataset, false},
    Field{"toClass", &CutoverRecord::to_class, true},
    Field{"toVolume", &CutoverRecord::to_volume, true},
    Field{"toVolumeUid", &CutoverRecord::to_volume_uid, false},
    Field{"toPolicy", &CutoverRecord::to_policy, true},
    Field{"toDataset", &CutoverRecord::to_dataset, false},
    Field{"time", &CutoverRecord::time, true},
};

Error other_volume(const std::string& volume, std::string_view what, const std::string& recorded,
                   const std::string& found) {
  return make_error(Kind::refused,
                    fmt::format("persistentvolume {} carries the cutover record of another volume: {} {} "
                                "is recorded, {} is found",
                                volume, what, recorded, found));
}

}  // namespace

Result<std::string> cutover_value(const CutoverRecord& record) {
  Value document = Value::object({{"version", k_cutover_version}});
  for (const Field& field : k_fields) {
    const std::string& value = record.*field.member;
    if (value.empty() && field.demanded) {
      return make_error(Kind::bug, fmt::format("a cutover record without {}", field.name));
    }
    if (!value.empty()) document.set(field.name, value);
  }
  if (!record.replacement.is_object()) return make_error(Kind::bug, "a cutover record without its claim");
  document.set("replacement", record.replacement);
  std::string text = json::write(document);
  if (text.size() > k_limit) {
    return make_error(Kind::refused,
                      fmt::format("cannot record the cutover of persistentvolumeclaim {}/{}: the record has "
                                  "{} bytes, of which most are the claim's own annotations; at most {} fit",
                                  record.ns, record.claim, text.size(), k_limit));
  }
  return text;
}

Result<Value> cutover_patch(const CutoverRecord& record) {
  if (record.to_volume_uid.empty()) return make_error(Kind::bug, "a cutover record without its volume's uid");
  TM_TRY_ASSIGN(std::string text, cutover_value(record));
  return Value::object(
      {{"metadata", Value::object({{"uid", record.to_volume_uid},
                                   {"annotations", Value::object({{std::string(k_cutover_annotation),
                                                                   std::move(text)}})}})}});
}

Result<std::optional<CutoverRecord>> read_cutover(const Value& volume) {
  const kube::Identity identity = kube::identity_of(volume);
  const std::string& text = kube::annotation_of(volume, k_cutover_annotation);
  if (text.empty()) return std::optional<CutoverRecord>();
  const std::string source =
      fmt::format("annotation {} of persistentvolume {}", k_cutover_annotation, identity.name);
  TM_TRY_ASSIGN(const Value document, json::parse(text, source));
  const json::View view(document, source);
  TM_TRY_ASSIGN(const std::int64_t version, view.get_integer("/version"));
  if (version != k_cutover_version) {
    return make_error(Kind::refused, fmt::format("{}: version {} is not the version {} that this program "
                                                 "knows",
                                                 source, version, k_cutover_version));
  }
  CutoverRecord record;
  for (const Field& field : k_fields) {
    const std::string pointer = fmt::format("/{}", field.name);
    TM_TRY_ASSIGN(record.*field.member,
                  field.demanded ? view.get_string(pointer) : view.find_string(pointer));
  }
  TM_TRY_ASSIGN(const json::View replacement, view.get_object("/replacement"));
  record.replacement = replacement.value();
  if (record.to_volume != identity.name) {
    return other_volume(identity.name, "name", record.to_volume, identity.name);
  }
  if (!record.to_volume_uid.empty() && record.to_volume_uid != identity.uid) {
    return other_volume(identity.name, "uid", record.to_volume_uid, identity.uid);
  }
  return std::optional<CutoverRecord>(std::move(record));
}

}  // namespace truenas::storage
