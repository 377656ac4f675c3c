#pragma once
// What the proof is tried on: a pair of real servers with every kind of relation, a client that writes, one
// that blocks, and a replica that answers wrongly once.

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "tests/unit/cnpg/local_postgres.h"

namespace truenas::cnpg {

// One pair of servers for the whole file; nullptr where PostgreSQL is missing: said aloud, and a failure
// where a skip must not happen.
LocalPostgres* servers();
// Every kind of relation, in database coder; once.
void make_contents(const LocalPostgres& postgres);
// Makes public.quiet differ on the replica when it is first asked, without a lock, so that a lock is wanted;
// afterwards the replica answers truly, or not at all.
void spoil_first_answer(const LocalPostgres& postgres, SqlRunner& runner, bool cut_afterwards = false);

// Writes into two tables for as long as it lives.
class ClientWriter {
 public:
  explicit ClientWriter(const LocalPostgres& postgres) : postgres_(postgres) {
    thread_ = std::thread([this] {
      while (!stop_) {
        postgres_.change(
            "INSERT INTO busy(value) SELECT 'x' FROM generate_series(1, 5); UPDATE busy SET value = value || "
            "'y' "
            "WHERE id % 7 = 0; DELETE FROM busy WHERE id % 11 = 0");
        ++rounds_;
      }
    });
    while (rounds_ == 0) std::this_thread::yield();
  }
  ~ClientWriter() {
    stop_ = true;
    thread_.join();
  }
  int rounds() const { return rounds_; }

 private:
  const LocalPostgres& postgres_;
  std::atomic<bool> stop_{false};
  std::atomic<int> rounds_{0};
  std::thread thread_;
};

// A client in a transaction that has changed a row of public.quiet, until it goes out of scope.
class Blocker {
 public:
  explicit Blocker(const LocalPostgres& postgres) : postgres_(postgres) {
    thread_ = std::thread([&postgres] {
      SqlCall call;
      call.instance = "primary";
      call.database = "coder";
      call.sql = "BEGIN; UPDATE quiet SET r = r WHERE id = 1; SELECT pg_sleep(600)";
      call.script = true;
      call.read_only = false;
      call.statement_timeout = Milliseconds{600000};
      call.application_name = "blocker";
      (void)postgres.run(call);
    });
    while (lock_count() == "0") std::this_thread::yield();
  }
  ~Blocker() {
    postgres_.change(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'blocker'");
    thread_.join();
  }

 private:
  std::string lock_count() const {
    return postgres_.look("primary",
                          "SELECT count(*) FROM pg_locks WHERE relation = 'quiet'::regclass AND mode = "
                          "'RowExclusiveLock' AND granted")[0][0];
  }
  const LocalPostgres& postgres_;
  std::thread thread_;
};

}  // namespace truenas::cnpg
