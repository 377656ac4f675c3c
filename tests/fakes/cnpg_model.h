#pragma once
// How the CloudNativePG operator behaves (facts 1.2, 2, 4a, 10), and the bytes its instances hold: each
// instance's dataset carries the number of writes it has seen; a replica that joined or streams has the
// primary's. A test asks afterwards whether every acknowledged write is still there. Each tick() is one
// reconciliation. It speaks the exact phases of the real one; what it leaves out is named in the methods.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/fakes/nas.h"
#include "tests/fakes/storage_model.h"
#include "tests/fakes/store.h"

namespace truenas::fakes {

struct CnpgOptions {
  bool monotonic_serials = false;   // 1.29 and before: names are never used again
  int forgotten_replacements = 0;   // so many replacements stand still until the Cluster is touched
  int join_ticks = 2;               // of a base backup once the primary has made a checkpoint
  int spread_checkpoint_ticks = 0;  // how long it waits for one unless somebody says CHECKPOINT
  int switchover_ticks = 2;
  int failover_ticks = 3;  // how long a primary may be away
};

// A query that psql was asked to run in an instance.
struct SqlQuestion {
  Key pod;
  bool is_primary = false;
  std::string database, sql;
  bool read_only = false;
};
struct SqlAnswer {
  int exit_code = 0;
  std::string out, err;
};

class CnpgModel {
 public:
  CnpgModel(Store& store, StorageModel& storage) : store_(store), storage_(storage) {}
  void tick();

  CnpgOptions options;
  // Instances whose replication stands still ("coder-postgres-2"): they lag more and more.
  std::set<std::string> lagging;
  // Asked before the model's own answers; nullopt leaves it to them.
  std::function<std::optional<SqlAnswer>(const SqlQuestion&)> sql;
  SqlAnswer answer(const SqlQuestion& question);
  // Whether a session of the proof holds the table in the Pod's cluster: writes wait then.
  bool is_locked(const Key& pod);

  // One write by a client. True: acknowledged, and never to be lost. False: no primary takes writes now.
  bool write(std::string_view ns, std::string_view cluster);
  std::int64_t acknowledged(std::string_view ns, std::string_view cluster) const;
  // What the current primary's dataset holds; nullopt when there is none.
  std::optional<std::int64_t> stored(std::string_view ns, std::string_view cluster);

 private:
  // One instance as the store shows it.
  struct Instance {
    std::string name;
    int serial = 0;
    std::vector<Key> claims;
    bool claims_leaving = false, claims_ready = true, claims_bound = true;
    const json::Value* pod = nullptr;
    const json::Value* job = nullptr;
    bool ready = false;
  };
  // What the operator remembers between two reconciliations, beside the objects.
  struct Memory {
    int switchover_left = -1, primary_away = 0, highest_serial = 0, forgotten = 0;
    std::map<std::string, int> join_left, checkpoint_waited;  // by instance
    bool checkpoint = false;
    int lock_left = 0;
    std::string standing_still;  // what spec and annotations were when it forgot a replacement
    std::int64_t acknowledged = 0;
  };
  struct Work;  // one reconciliation of one Cluster

  void reconcile(const Key& key);
  std::vector<Instance> instances_of(const json::Value& cluster) const;
  void bootstrap(Work& work);
  bool destroy_unrecoverable(Work& work);
  void destroy(Work& work, const Instance& instance);
  void replicate(Work& work);
  bool change_primary(Work& work);
  void promote(Work& work, const std::string& name);
  bool finish_joins(Work& work);
  bool complete_join(Work& work, const Instance& instance);
  void create_pods(Work& work);
  bool scale(Work& work);
  void create_instance(Work& work, int serial, std::string_view role);
  json::Value make_claim(const Work& work, const std::string& instance, int serial, std::string_view role,
                         const std::string& section) const;
  json::Value make_pod(const Work& work, const Instance& instance) const;
  void label_roles(Work& work);
  void write_status(Work& work);
  std::vector<Dataset*> datasets_of(const Key& cluster, const std::string& instance);
  std::string replication_rows(const Key& pod);
  SqlAnswer answer_proof(const SqlQuestion& question, Memory& memory, const Key& cluster);

  Store& store_;
  StorageModel& storage_;
  std::map<std::string, Memory> memory_;  // by the Cluster's uid
};

}  // namespace truenas::fakes
