#include "lib/kube/reader.h"

#include <fmt/format.h>

#include "lib/kube/exec_run.h"
#include "lib/kube/reader_internal.h"

namespace truenas::kube {

std::string call_name(std::string_view verb, const ResourceType& type, std::string_view ns,
                      std::string_view name) {
  std::string place(type.namespaced ? ns : std::string_view());
  if (!name.empty()) place += (place.empty() ? "" : "/") + std::string(name);
  return fmt::format("{} {}{}{}", verb, type.plural, place.empty() ? "" : " ", place);
}

void add_selectors(Call& call, const ListOptions& options) {
  if (!options.label_selector.empty()) call.query.emplace_back("labelSelector", options.label_selector);
  if (!options.field_selector.empty()) call.query.emplace_back("fieldSelector", options.field_selector);
}

Error doubt_absence(Error error, const Status& status, std::string_view name) {
  const bool named = !name.empty() && status.body.text_at("/details/name") == name;
  if (error.kind != Kind::not_found || named) return error;
  error.kind = Kind::unavailable;
  return error.with_hint(
      "kubectl api-resources  # does the server serve this type, and is the server's URL right?");
}

Error unknown_resource(const ResourceType& type) {
  std::string place;
  if (!type.group.empty())
    place = fmt::format(" in group \"{}\" and version \"{}\"", type.group, type.version);
  return make_error(Kind::not_found,
                    fmt::format("the server doesn't have a resource type \"{}\"{}", type.plural, place),
                    {"kubectl api-resources"});
}

Result<json::Value> Reader::get(const ResourceType& type, std::string_view ns, std::string_view name) const {
  Call call;
  call.what = call_name("get", type, ns, name);
  if (name.empty()) return make_error(Kind::bug, call.what + ": no name");
  TM_TRY_ASSIGN(call.path, resource_path(type, ns, name));
  Status status;
  Result<json::Value> object = session_->call_json(call, &status);
  if (!object.ok()) return doubt_absence(std::move(object).take_error(), status, name);
  if (object->text_at("/metadata/name") != name) {
    return make_error(Kind::format, fmt::format("reply to {}: not the object that was asked for", call.what));
  }
  return object;
}

Result<std::optional<json::Value>> Reader::find(const ResourceType& type, std::string_view ns,
                                                std::string_view name) const {
  Result<json::Value> object = get(type, ns, name);
  if (object.ok()) return std::optional<json::Value>(std::move(object).value());
  if (object.error().kind == Kind::not_found) return std::optional<json::Value>();
  return std::move(object).take_error();
}

Result<std::vector<json::Value>> Reader::list(const ResourceType& type, std::string_view ns,
                                              const ListOptions& options) const {
  std::vector<json::Value> items;
  ItemSink sink;
  sink.item = [&](json::Value item) -> Result<void> {
    items.push_back(std::move(item));
    return {};
  };
  sink.restart = [&] { items.clear(); };
  TM_TRY(list(type, ns, options, sink));
  return items;
}

Result<ExecResult> Reader::inspect(const ExecRequest& request) const {
  return run_in_container(*this, request, ExecPurpose::look);
}

}  // namespace truenas::kube
