// Single questions to a cluster: events of an object, access, what it serves, version, identity.

#include <fmt/format.h>

#include <algorithm>

#include "lib/json/view.h"
#include "lib/kube/reader.h"
#include "lib/kube/reader_internal.h"

namespace truenas::kube {
namespace {

// Newer writers fill eventTime and series, older ones lastTimestamp.
std::string last_seen(const json::Value& event) {
  for (const char* place : {"/series/lastObservedTime", "/lastTimestamp", "/eventTime", "/firstTimestamp",
                            "/metadata/creationTimestamp"}) {
    if (!event.text_at(place).empty()) return event.text_at(place);
  }
  return "";
}

Milliseconds age_key(const EventLine& line) {
  const Result<std::chrono::microseconds> time = parse_time(line.last_seen);
  return time.ok() ? std::chrono::duration_cast<Milliseconds>(*time) : Milliseconds(0);
}

Result<json::Value> ask(Session& session, std::string path, std::string what, Status* status) {
  Call call;
  call.path = std::move(path);
  call.what = std::move(what);
  return session.call_json(call, status);
}

bool lists_name(const json::Value& document, std::string_view list, std::string_view wanted) {
  const json::Value::Array& entries = document.items_at(list);
  return std::any_of(entries.begin(), entries.end(),
                     [&](const json::Value& entry) { return entry.text_at("/name") == wanted; });
}

}  // namespace

Result<bool> review_access(Session& session, const ResourceType& type, json::Value spec,
                           const AccessQuery& query, std::string what) {
  json::Value attributes = json::Value::object({{"verb", query.verb}, {"resource", query.resource}});
  for (const auto& [key, value] : {std::pair<const char*, const std::string&>{"group", query.group},
                                   {"subresource", query.subresource},
                                   {"namespace", query.ns},
                                   {"name", query.name}}) {
    if (!value.empty()) attributes.set(key, value);
  }
  spec.set("resourceAttributes", std::move(attributes));
  Call call;
  call.method = "POST";  // but nothing of it is kept, so a lost reply does no harm: read_only stays
  call.what = std::move(what);
  TM_TRY_ASSIGN(call.path, resource_path(type, "", ""));
  call.body = json::write(json::Value::object(
      {{"apiVersion", api_version(type)}, {"kind", type.kind}, {"spec", std::move(spec)}}));
  TM_TRY_ASSIGN(const json::Value reply, session.call_json(call));
  return json::View(reply, "reply to " + call.what).get_boolean("/status/allowed");
}

Result<std::vector<EventLine>> Reader::events_of(std::string_view ns, std::string_view uid) const {
  if (uid.empty()) return make_error(Kind::bug, "events of an object without uid");
  ListOptions options;
  options.field_selector = fmt::format("involvedObject.uid={}", uid);
  TM_TRY_ASSIGN(const std::vector<json::Value> events, list(k_event, ns.empty() ? "default" : ns, options));
  std::vector<EventLine> lines;
  for (const json::Value& event : events) {
    const std::int64_t count = std::max(event.integer_at("/series/count", 1), event.integer_at("/count", 1));
    lines.push_back({event.text_at("/type"), event.text_at("/reason"), event.text_at("/message"),
                     last_seen(event), std::max<std::int64_t>(count, 1)});
  }
  std::stable_sort(lines.begin(), lines.end(),
                   [](const EventLine& a, const EventLine& b) { return age_key(a) < age_key(b); });
  return lines;
}

Result<bool> Reader::can_i(const AccessQuery& query) const {
  return review_access(*session_, k_access_review, json::Value::object(), query,
                       fmt::format("ask whether you may {} {}{}{}", query.verb, query.resource,
                                   query.subresource.empty() ? "" : "/", query.subresource));
}

Result<bool> Reader::serves(const ResourceType& type) const {
  Status status;
  const std::string what = fmt::format("discover {}", api_version(type));
  if (!type.group.empty()) {
    // The list of groups is proof that a group is absent; a 404 on the group itself would not be.
    TM_TRY_ASSIGN(const json::Value groups, ask(*session_, "/apis", what, &status));
    if (groups.text_at("/kind") != "APIGroupList") {
      return make_error(Kind::format, fmt::format("reply to {}: not a list of API groups", what));
    }
    if (!lists_name(groups, "/groups", type.group)) return false;
  }
  const std::string path = (type.group.empty() ? "/api/" : "/apis/") + api_version(type);
  Result<json::Value> resources = ask(*session_, path, what, &status);
  if (resources.ok()) return lists_name(*resources, "/resources", type.plural);
  // The group is there (see above), so this 404 is the server's own: another version is served.
  if (status.code == 404 && !type.group.empty()) return false;
  return std::move(resources).take_error();
}

Result<std::string> Reader::server_version() const {
  TM_TRY_ASSIGN(const json::Value version, ask(*session_, "/version", "get the server's version", nullptr));
  return json::View(version, "reply to GET /version").get_string("/gitVersion");
}

Result<std::string> Reader::cluster_uid() const {
  TM_TRY_ASSIGN(const json::Value object, get(k_namespace, "", "kube-system"));
  return json::View(object, "reply to get namespaces kube-system").get_string("/metadata/uid");
}

}  // namespace truenas::kube
