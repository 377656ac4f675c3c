#pragma once
// A few objects behind the Transport seam: create, read, merge patch and delete with uids, resourceVersions
// and preconditions, and faults where a test wants them. Not a model of a cluster: no kinds, no watches.

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "lib/http/transport.h"
#include "lib/kube/reader.h"
#include "lib/kube/session.h"
#include "lib/kube/writer.h"

namespace truenas::engine {

class MemoryApi {
 public:
  struct Fault {
    std::string method;
    Kind kind = Kind::unavailable;
    bool worked = false;  // the server carried it out and the reply was lost
  };
  // The next request of this method fails so. The lock's thread may ask at any time: set before it starts.
  std::deque<Fault> faults;
  // Somebody else, just before a request is carried out; may change `objects`.
  std::function<void(const http::Request&)> before;

  http::Response handle(const http::Request& request);
  Result<http::Response> send(const http::Request& request);

  // As somebody else would: by path ("/api/v1/namespaces/ns/configmaps/x").
  json::Value* find(const std::string& path);
  void put(const std::string& path, json::Value object);
  void erase(const std::string& path) { objects_.erase(path); }
  std::vector<std::string> paths() const;
  int count(const std::string& method) const;  // requests so far

 private:
  http::Response create(const std::string& collection, const std::string& body);
  http::Response patch(const std::string& path, const std::string& body);
  http::Response remove(const std::string& path, const std::string& body);
  http::Response list(const std::string& collection) const;

  std::mutex mutex_;
  std::map<std::string, json::Value> objects_;
  std::map<std::string, int> counts_;
  int version_ = 100;
  int uids_ = 0;
};

// A session with it.
std::unique_ptr<kube::Session> session_with(MemoryApi& api, Clock& clock);
kube::Writer free_writer(kube::Session& session, bool server_dry_run = false);

}  // namespace truenas::engine
