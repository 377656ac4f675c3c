#pragma once
// A real PostgreSQL primary with a streaming replica in a temporary directory, for tests of SQL. Runs as an
// unprivileged user where the test runs as root. Everything ends with the object.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lib/cnpg/proof.h"

namespace truenas::cnpg {

struct Finished {
  int exit_code = -1;
  std::string out, err;
};
// Runs a program to its end, in a process group of its own.
Finished run_program(const std::vector<std::string>& argv, const std::string& input = "");

class LocalPostgres {
 public:
  // nullopt, and the reason, where PostgreSQL's server programs are missing.
  static std::optional<std::string> missing();
  // Aborts the test when a server cannot be started.
  LocalPostgres();
  ~LocalPostgres();
  LocalPostgres(const LocalPostgres&) = delete;
  LocalPostgres& operator=(const LocalPostgres&) = delete;

  // Runs psql exactly as in a Pod, against the instance named "primary" or "replica".
  Result<SqlOutcome> run(const SqlCall& call) const;
  SqlRunner runner() const;
  // A script in the primary; aborts the test when it fails.
  std::vector<SqlRow> change(const std::string& sql, const std::string& database = "coder") const;
  std::vector<SqlRow> look(const std::string& instance, const std::string& sql,
                           const std::string& database = "coder") const;
  // A program of PostgreSQL's, by name, that talks to the primary as its superuser.
  Finished tool(const std::vector<std::string>& argv, const std::string& input = "") const;
  // Stops and starts the replica; between the two its files may be touched.
  void stop_replica();
  void start_replica();
  void promote_replica();
  // Absolute path below the replica's data directory.
  std::string replica_file(const std::string& relative) const;

 private:
  std::string directory_;
  void start(const std::string& instance);
};

}  // namespace truenas::cnpg
