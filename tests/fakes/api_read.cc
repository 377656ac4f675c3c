#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "lib/base/text.h"
#include "tests/fakes/api_target.h"
#include "tests/fakes/selector.h"
#include "tests/fakes/status_reply.h"

namespace truenas::fakes {
namespace {

// Typed lists of the built-in groups leave apiVersion and kind out of their items (L5); custom resources keep
// them.
bool items_carry_kind(const KnownResource& resource) {
  return resource.group == "postgresql.cnpg.io";
}

std::string api_version(const KnownResource& resource) {
  return resource.group.empty() ? resource.version : resource.group + "/" + resource.version;
}

// What a client gets back in a continue parameter: the list's version and the last key handed out.
std::string continue_token(std::uint64_t version, const Key& last) {
  return base64_encode(fmt::format("{}\n{}\n{}", version, last.ns, last.name));
}

struct Continuation {
  std::uint64_t version = 0;
  Key after;
};

std::optional<Continuation> read_token(const std::string& token, const Key& collection) {
  const auto text = base64_decode(token);
  if (!text) return std::nullopt;
  const std::vector<std::string> parts = split(*text, '\n');
  if (parts.size() != 3) return std::nullopt;
  Continuation found;
  std::from_chars(parts[0].data(), parts[0].data() + parts[0].size(), found.version);
  found.after = Key{collection.group, collection.plural, parts[1], parts[2]};
  return found;
}

std::optional<bool> selected(const ApiPath& path, const json::Value& object) {
  const auto labels = matches_labels(path.parameter("labelSelector"), object);
  const auto fields = matches_fields(path.parameter("fieldSelector"), object);
  if (!labels || !fields) return std::nullopt;
  return *labels && *fields;
}

json::Value watch_event(std::string_view type, const json::Value& object) {
  return json::Value::object({{"type", type}, {"object", object}});
}

}  // namespace

http::Response Api::get(const Target& target) {
  const json::Value* object = store_.find(target.key);
  if (object == nullptr) return not_found(target.key.group, target.key.plural, target.key.name);
  return json_reply(200, *object);
}

http::Response Api::list(const Target& target) {
  std::uint64_t version = store_.version();
  Key after;
  if (const std::string& token = target.path.parameter("continue"); !token.empty()) {
    const auto continuation = read_token(token, target.key);
    if (!continuation) return bad_request("continue key is not valid");
    if (continuation->version < store_.compacted()) {
      return expired(
          "The provided continue parameter is too old to display a consistent list result. You can start a "
          "new "
          "list without the continue parameter.");
    }
    version = continuation->version;
    after = continuation->after;
  }
  std::size_t limit = 0;
  const std::string& wanted = target.path.parameter("limit");
  std::from_chars(wanted.data(), wanted.data() + wanted.size(), limit);
  json::Value items = json::Value::array();
  json::Value metadata = json::Value::object({{"resourceVersion", std::to_string(version)}});
  Key last;
  for (const Key& key : store_.keys(target.key.group, target.key.plural, target.key.ns)) {
    if (!after.name.empty() && key <= after) continue;
    json::Value object = *store_.find(key);
    const auto wants = selected(target.path, object);
    if (!wants) return bad_request("unable to parse requirement");
    if (!*wants) continue;
    if (limit > 0 && items.items().size() == limit) {
      metadata.set("continue", continue_token(version, last));
      break;
    }
    last = key;
    if (!items_carry_kind(target.resource)) {
      object.remove("apiVersion");
      object.remove("kind");
    }
    items.push_back(std::move(object));
  }
  return json_reply(200, json::Value::object({{"kind", target.resource.kind + "List"},
                                              {"apiVersion", api_version(target.resource)},
                                              {"metadata", metadata},
                                              {"items", items}}));
}

http::Response Api::watch(const Target& target) {
  http::Response response;
  response.status = 200;
  response.headers = {{"Content-Type", "application/json"}};
  const std::string& from = target.path.parameter("resourceVersion");
  std::uint64_t version = 0;
  std::from_chars(from.data(), from.data() + from.size(), version);
  if (version == 0) {  // W4: synthetic events for what exists
    for (const json::Value* object : store_.list(target.key.group, target.key.plural, target.key.ns)) {
      if (selected(target.path, *object).value_or(false)) {
        response.body += json::write(watch_event("ADDED", *object)) + "\n";
      }
    }
    return response;
  }
  if (version < store_.compacted()) {
    const http::Response gone =
        expired(fmt::format("too old resource version: {} ({})", version, store_.compacted()));
    response.body = json::write(watch_event("ERROR", json::parse(gone.body, "own status").value())) + "\n";
    return response;
  }
  const auto& changes = store_.changes();
  const auto first =
      std::upper_bound(changes.begin(), changes.end(), version,
                       [](std::uint64_t seen, const Change& change) { return seen < change.version; });
  for (auto at = first; at != changes.end(); ++at) {
    const Change& change = *at;
    if (change.key.group != target.key.group || change.key.plural != target.key.plural ||
        (!target.key.ns.empty() && change.key.ns != target.key.ns) ||
        !selected(target.path, change.object).value_or(false)) {
      continue;
    }
    response.body += json::write(watch_event(change.type, change.object)) + "\n";
  }
  return response;
}

}  // namespace truenas::fakes
