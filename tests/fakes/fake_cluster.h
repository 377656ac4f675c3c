#pragma once
// A whole Kubernetes cluster in memory: the API over a Store, the neighbours that act by themselves (storage,
// workloads, the CloudNativePG operator) and the faults that a test wants. Time passes only in tick(). Every
// call locks, so several threads may talk to it; the models themselves are for one thread.
//
//   FakeCluster cluster;
//   build_site(cluster);                    // site.h: the runbook's namespaces, classes, database, homes
//   FakeClock clock(cluster);               // sleeping lets the cluster live
//   kube::Session session(std::make_unique<FakeTransport>(cluster, &clock), …);

#include <memory>
#include <mutex>
#include <string>
#include <variant>
#include <vector>

#include "lib/http/transport.h"
#include "tests/fakes/api.h"
#include "tests/fakes/cnpg_model.h"
#include "tests/fakes/exec_model.h"
#include "tests/fakes/faults.h"
#include "tests/fakes/nas.h"
#include "tests/fakes/storage_model.h"
#include "tests/fakes/store.h"
#include "tests/fakes/workload_model.h"

namespace truenas::fakes {

// How an exchange ended: with a reply; refused before the server saw it; or applied and the reply lost.
struct Exchange {
  enum class End { replied, refused, dropped } end = End::replied;
  http::Response response;
};

class FakeCluster {
 public:
  FakeCluster();

  // One request, past the faults. Counts it; access reviews and the Lease of a lock are not counted as
  // writes.
  Exchange exchange(const http::Request& request);
  // The same without faults and without counting: for a test that looks or meddles by API.
  http::Response handle(const http::Request& request);
  // exec: a socket, or the refusal. Not counted as a write.
  std::variant<std::unique_ptr<http::WebSocket>, http::Response> upgrade(
      const http::Request& request, const std::vector<std::string>& protocols);

  // One second of the cluster's life.
  void tick(int times = 1);
  // Ticks until `condition` holds; false when it does not within `limit` ticks.
  bool tick_until(const std::function<bool()>& condition, int limit = 500);
  std::chrono::milliseconds elapsed() const;
  std::chrono::microseconds wall() const;
  std::size_t requests() const { return requests_; }
  std::size_t writes() const { return writes_; }

  // Puts an object as if it had been there before (no checks, no request); its key comes from apiVersion,
  // kind and metadata. Kind must be known.
  const json::Value& put(json::Value object);
  const json::Value* find(const kube::ResourceType& type, std::string_view ns, std::string_view name) const;
  // Somebody else's change, past the API's rules.
  void meddle(const kube::ResourceType& type, std::string_view ns, std::string_view name,
              const std::function<void(json::Value&)>& edit);
  void erase(const kube::ResourceType& type, std::string_view ns, std::string_view name);

  // One acknowledged client write to a database (CnpgModel::write), and what has become of all of them.
  bool write(std::string_view ns, std::string_view name);
  struct DatabaseState {
    std::string phase;
    std::int64_t acknowledged = 0;
    std::optional<std::int64_t> stored;  // in the current primary's dataset; nullopt: there is none
  };
  DatabaseState database(std::string_view ns, std::string_view name);
  void add_fault(Fault fault);

  // Datasets that held somebody's data when they were destroyed: must be empty in every test of this project.
  std::vector<Dataset> destroyed_data() const;

  Store store;
  Nas nas;
  Api api;
  StorageModel storage;
  WorkloadModel workloads;
  CnpgModel cnpg;
  Faults faults;
  // Commands other than psql; unset: "command not found", exit 127.
  ExecHandler exec;
  ExecFault exec_fault = ExecFault::none;
  // Why the canary fails, "" for never.
  std::string canary_failure;
  // Called once a tick, before the models: a writer, a meddler.
  std::function<void()> each_tick;
  // Called with each counted request before it is applied, and after: crash tests.
  std::function<void(const Seen&, bool applied)> on_request;

 private:
  ExecOutcome run_command(const ExecCommand& command);
  void wait_for_lock(const Key& pod);
  PodEnd run_canary(const json::Value& pod);
  http::Response read_log(const Key& pod, const ApiPath& path);

  mutable std::recursive_mutex mutex_;
  std::chrono::milliseconds elapsed_{0};
  std::size_t requests_ = 0, writes_ = 0;
  std::map<std::string, int> canary_rounds_;  // by the claim's uid
};

}  // namespace truenas::fakes
