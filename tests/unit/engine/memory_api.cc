#include "tests/unit/engine/memory_api.h"

namespace truenas::engine {
namespace {

http::Response reply(int status, const json::Value& body) {
  http::Response response;
  response.status = status;
  response.headers = {{"Content-Type", "application/json"}};
  response.body = json::write(body);
  return response;
}

http::Response failure(int code, const char* reason, const std::string& message) {
  return reply(code, json::Value::object({{"kind", "Status"},
                                          {"apiVersion", "v1"},
                                          {"status", "Failure"},
                                          {"reason", reason},
                                          {"message", message},
                                          {"code", code}}));
}

// As a real server says it: an answer about an object names it.
http::Response absent(const std::string& path) {
  return reply(404, json::Value::object(
                        {{"kind", "Status"},
                         {"apiVersion", "v1"},
                         {"status", "Failure"},
                         {"reason", "NotFound"},
                         {"message", path + " not found"},
                         {"details", json::Value::object({{"name", path.substr(path.rfind('/') + 1)}})},
                         {"code", 404}}));
}

class MemoryTransport final : public http::Transport {
 public:
  explicit MemoryTransport(MemoryApi& api) : api_(api) {}
  Result<http::Response> send(const http::Request& request, const http::BodySink& sink) override {
    TM_TRY_ASSIGN(http::Response response, api_.send(request));
    if (sink && response.status < 300) {
      TM_TRY(sink(response.body));
      response.body.clear();
    }
    return response;
  }
  Result<http::Upgrade> upgrade(const http::Request&, const std::vector<std::string>&) override {
    return make_error(Kind::bug, "no upgrades here");
  }

 private:
  MemoryApi& api_;
};

class NoCredentials final : public kube::CredentialSource {
 public:
  Result<Secret> authorization() override { return Secret(); }
};

}  // namespace

Result<http::Response> MemoryApi::send(const http::Request& request) {
  const std::lock_guard guard(mutex_);
  ++counts_[request.method];
  if (before) before(request);
  if (!faults.empty() && faults.front().method == request.method) {
    const Fault fault = faults.front();
    faults.pop_front();
    if (fault.worked) (void)handle(request);
    return make_error(fault.kind, "scripted");
  }
  return handle(request);
}

http::Response MemoryApi::handle(const http::Request& request) {
  const std::string path = request.target.substr(0, request.target.find('?'));
  if (request.method == "POST") return create(path, request.body);
  if (request.method == "GET" && path.size() > 7 && path.substr(path.size() - 7) == "/events")
    return list(path);
  if (objects_.find(path) == objects_.end()) return absent(path);
  if (request.method == "GET") return reply(200, objects_[path]);
  if (request.method == "PATCH") return patch(path, request.body);
  if (request.method == "DELETE") return remove(path, request.body);
  return failure(405, "MethodNotAllowed", request.method);
}

http::Response MemoryApi::create(const std::string& collection, const std::string& body) {
  Result<json::Value> object = json::parse(body, "body");
  if (!object.ok()) return failure(400, "BadRequest", object.error().what);
  const std::string path = collection + "/" + object->text_at("/metadata/name");
  if (objects_.find(path) != objects_.end()) return failure(409, "AlreadyExists", path + " already exists");
  put(path, std::move(*object));
  return reply(201, objects_[path]);
}

http::Response MemoryApi::patch(const std::string& path, const std::string& body) {
  const Result<json::Value> change = json::parse(body, "body");
  if (!change.ok()) return failure(400, "BadRequest", change.error().what);
  const json::Value& now = objects_[path];
  const std::string& version = change->text_at("/metadata/resourceVersion");
  if (!version.empty() && version != now.text_at("/metadata/resourceVersion")) {
    return failure(409, "Conflict", "the object has been modified");
  }
  put(path, json::apply_merge_patch(now, *change));
  return reply(200, objects_[path]);
}

http::Response MemoryApi::remove(const std::string& path, const std::string& body) {
  const Result<json::Value> options = json::parse(body, "body");
  if (!options.ok()) return failure(400, "BadRequest", options.error().what);
  const std::string& uid = options->text_at("/preconditions/uid");
  if (uid != objects_[path].text_at("/metadata/uid")) return failure(409, "Conflict", "uid");
  objects_.erase(path);
  return reply(200, json::Value::object({{"kind", "Status"}, {"status", "Success"}}));
}

http::Response MemoryApi::list(const std::string& collection) const {
  json::Value items = json::Value::array();
  for (const auto& [path, object] : objects_) {
    if (path.rfind(collection + "/", 0) == 0) items.push_back(object);
  }
  return reply(200, json::Value::object({{"kind", "EventList"},
                                         {"apiVersion", "v1"},
                                         {"metadata", json::Value::object({{"resourceVersion", "1"}})},
                                         {"items", items}}));
}

json::Value* MemoryApi::find(const std::string& path) {
  const auto found = objects_.find(path);
  return found == objects_.end() ? nullptr : &found->second;
}

void MemoryApi::put(const std::string& path, json::Value object) {
  const json::Value* known = find(path);
  const std::string uid =
      known != nullptr ? known->text_at("/metadata/uid") : "uid-" + std::to_string(++uids_);
  object.set_at("/metadata/uid", uid);
  object.set_at("/metadata/resourceVersion", std::to_string(++version_));
  objects_[path] = std::move(object);
}

std::vector<std::string> MemoryApi::paths() const {
  std::vector<std::string> paths;
  for (const auto& [path, object] : objects_) paths.push_back(path);
  return paths;
}

int MemoryApi::count(const std::string& method) const {
  const auto found = counts_.find(method);
  return found == counts_.end() ? 0 : found->second;
}

std::unique_ptr<kube::Session> session_with(MemoryApi& api, Clock& clock) {
  kube::SessionOptions options;
  options.server = "https://example.test:6443";
  options.qps = 0;
  return std::make_unique<kube::Session>(std::make_unique<MemoryTransport>(api),
                                         std::make_unique<NoCredentials>(), options, clock);
}

kube::Writer free_writer(kube::Session& session, bool server_dry_run) {
  kube::Permit permit;
  permit.still_granted = [] { return Result<void>(); };
  permit.server_dry_run = server_dry_run;
  return kube::Writer(session, permit);
}

}  // namespace truenas::engine
