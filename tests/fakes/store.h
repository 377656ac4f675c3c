#pragma once
// The objects of a fake cluster: uids, resourceVersions, generations and the log of changes that watches
// read. It knows no kind of object beyond these. Everything a behaviour model changes goes through here, so
// that every change is an event. Not thread-safe: FakeCluster locks.

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "lib/json/value.h"
#include "lib/kube/resource.h"

namespace truenas::fakes {

struct Key {
  std::string group, plural, ns, name;
  auto operator<=>(const Key&) const = default;
};
Key key_of(const kube::ResourceType& type, std::string_view ns, std::string_view name);

struct Change {
  std::uint64_t version = 0;
  std::string type;  // ADDED, MODIFIED, DELETED
  Key key;
  json::Value object;
};

class Store {
 public:
  // Wall-clock time of the cluster; creationTimestamps come from it.
  std::function<std::chrono::microseconds()> now;

  const json::Value* find(const Key& key) const;
  std::vector<const json::Value*> list(std::string_view group, std::string_view plural,
                                       std::string_view ns = "") const;
  std::vector<Key> keys(std::string_view group, std::string_view plural, std::string_view ns = "") const;
  const std::map<Key, json::Value>& all() const { return objects_; }

  // Puts a new object: uid, resourceVersion, creationTimestamp, name and namespace are set here.
  const json::Value& insert(const Key& key, json::Value object);
  // Replaces one that exists; a new resourceVersion unless nothing changed. `spec_generation`:
  // metadata.generation rises when the spec changed.
  const json::Value& replace(const Key& key, json::Value object);
  // Changes one in place through `edit`; nothing happens when it does not exist.
  void update(const Key& key, const std::function<void(json::Value&)>& edit);
  void erase(const Key& key);
  // Sets deletionTimestamp, or erases at once when no finalizer holds the object. What the API's DELETE does
  // after its checks, and what controllers do. Pods always stay until the kubelet has ended them.
  void mark_deleted(const Key& key);
  // Erases the object if it is being deleted and no finalizer is left.
  void finish_deletion(const Key& key);

  std::uint64_t version() const { return version_; }
  const std::deque<Change>& changes() const { return changes_; }
  // Forgets the older changes: a watch or a continue token from before gets 410.
  void compact();
  std::uint64_t compacted() const { return compacted_; }
  std::string new_uid();
  std::string timestamp() const;

 private:
  void note(std::string type, const Key& key, const json::Value& object);

  std::map<Key, json::Value> objects_;
  std::deque<Change> changes_;
  std::uint64_t version_ = 1000;
  std::uint64_t compacted_ = 0;
  std::uint64_t uids_ = 0;
};

}  // namespace truenas::fakes
