#pragma once
// Reader: everything this tool may ask of a cluster. Nothing here changes an object. A plan, an observation
// and a verification get a Reader and nothing else; writing is another type (writer.h).

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "lib/kube/exec.h"
#include "lib/kube/resource.h"
#include "lib/kube/session.h"

namespace truenas::kube {

struct ListOptions {
  std::string label_selector, field_selector;
  int limit = 500;                  // L1
  std::vector<std::string> wanted;  // json::ListReader's; empty: whole objects
};

// Receives a list's items. restart() is called when a page expired (410) and the list begins again: forget
// all items.
struct ItemSink {
  std::function<Result<void>(json::Value item)> item;
  std::function<void()> restart;
};

struct WatchEvent {
  enum class Type { added, modified, deleted, bookmark, gone } type = Type::added;  // gone: 410, list again
  json::Value object;
};

struct AccessQuery {
  std::string verb, group, resource, subresource, ns, name;
};

struct LogOptions {
  std::string container;
  bool follow = false;
  bool previous = false;
  std::int64_t tail_lines = -1;  // -1: all
  std::int64_t limit_bytes = 0;  // 0: no limit
  Milliseconds stall{0};
};

struct EventLine {
  std::string type, reason, message;  // "Warning", "ProvisioningFailed", …
  std::string last_seen;              // RFC 3339
  std::int64_t count = 1;
};

// True when the event says that the object which had `uid` is no more: it was deleted, or another object has
// its name (W7). `name` is the watched object's.
bool ended(const WatchEvent& event, std::string_view name, std::string_view uid);

class Reader {
 public:
  explicit Reader(Session& session) : session_(&session) {}

  // GET one object; get: Kind::not_found when it does not exist; find: nullopt then. Any other failure stays
  // an error: unknown is not absent. A 404 that does not name the object (a proxy's page, a path that the
  // server does not serve) is Kind::unavailable here, for it proves nothing about the object.
  Result<json::Value> get(const ResourceType& type, std::string_view ns, std::string_view name) const;
  Result<std::optional<json::Value>> find(const ResourceType& type, std::string_view ns,
                                          std::string_view name) const;
  // Streams all items, page by page (L1-L5), apiVersion and kind filled in. Returns the list's
  // resourceVersion. Kind::not_found: the server has no such resource type (S6); see serves().
  Result<std::string> list(const ResourceType& type, std::string_view ns, const ListOptions& options,
                           const ItemSink& sink) const;
  // The same, collected.
  Result<std::vector<json::Value>> list(const ResourceType& type, std::string_view ns,
                                        const ListOptions& options = {}) const;
  // Watches from `resource_version` until on_event says stop (false), `deadline` passes (ok), or it fails.
  // Resumes over closed and refused connections; after a 410 hands over one `gone` event and returns (W1-W7).
  // Kind::bug for a resource_version of "" or "0" (W4). options.wanted and options.limit do not apply.
  Result<void> watch(const ResourceType& type, std::string_view ns, const ListOptions& options,
                     std::string resource_version, Milliseconds deadline,
                     const std::function<Result<bool>(const WatchEvent&)>& on_event) const;
  // Pod log, whole or followed.
  Result<void> logs(std::string_view ns, std::string_view pod, const LogOptions& options,
                    const http::BodySink& sink) const;
  Result<std::string> logs(std::string_view ns, std::string_view pod, const LogOptions& options) const;
  // ns "": those of a cluster-scoped object, which live in namespace default.
  // Events whose involvedObject.uid is `uid`, oldest first.
  Result<std::vector<EventLine>> events_of(std::string_view ns, std::string_view uid) const;
  // SelfSubjectAccessReview: may the user do this? It creates nothing that persists.
  Result<bool> can_i(const AccessQuery& query) const;
  // Runs a command that only looks (the caller vouches: psql with default_transaction_read_only, stat, df).
  Result<ExecResult> inspect(const ExecRequest& request) const;
  // Does the server know this resource type (a CRD may not be installed)? Asked of its discovery documents.
  Result<bool> serves(const ResourceType& type) const;
  // GET /version: gitVersion ("v1.35.4").
  Result<std::string> server_version() const;
  // metadata.uid of namespace kube-system: what identifies a cluster.
  Result<std::string> cluster_uid() const;
  Session& session() const { return *session_; }

 private:
  Session* session_;
};

}  // namespace truenas::kube
