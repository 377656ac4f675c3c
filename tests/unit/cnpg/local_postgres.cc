#include "tests/unit/cnpg/local_postgres.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace truenas::cnpg {
namespace {

constexpr uid_t k_nobody = 65534;

std::string server_directory() {
  std::string newest;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/usr/lib/postgresql", error)) {
    const std::string bin = entry.path() / "bin";
    if (std::filesystem::exists(bin + "/initdb") && bin > newest) newest = bin;
  }
  return newest;
}

// Ends up in the program, without root's rights.
[[noreturn]] void become(const std::vector<std::string>& argv, std::array<int, 3> ends) {
  for (int fd = 0; fd < 3; ++fd) {
    if (dup2(ends[static_cast<std::size_t>(fd)], fd) < 0) _exit(126);
  }
  if (geteuid() == 0 && (setgid(k_nobody) != 0 || setuid(k_nobody) != 0)) _exit(126);
  if (chdir("/") != 0) _exit(126);
  std::vector<char*> pointers;
  pointers.reserve(argv.size() + 1);
  for (const std::string& argument : argv) pointers.push_back(const_cast<char*>(argument.c_str()));
  pointers.push_back(nullptr);
  execvp(pointers[0], pointers.data());
  _exit(127);
}

// Feeds and drains the three pipes until both outputs have ended.
void exchange(std::array<int, 3>& ends, std::string_view input, Finished& finished) {
  std::array<std::string*, 2> outputs{&finished.out, &finished.err};
  while (ends[1] >= 0 || ends[2] >= 0) {
    std::array<pollfd, 3> waits{{{ends[0], POLLOUT, 0}, {ends[1], POLLIN, 0}, {ends[2], POLLIN, 0}}};
    if (poll(waits.data(), waits.size(), -1) < 0) break;
    if (ends[0] >= 0 && waits[0].revents != 0) {
      const ssize_t written = input.empty() ? 0 : write(ends[0], input.data(), input.size());
      if (written > 0) input.remove_prefix(static_cast<std::size_t>(written));
      if (written < 0 || input.empty()) {
        close(ends[0]);
        ends[0] = -1;
      }
    }
    for (std::size_t i = 1; i < 3; ++i) {
      if (ends[i] < 0 || waits[i].revents == 0) continue;
      std::array<char, 65536> piece{};
      const ssize_t got = read(ends[i], piece.data(), piece.size());
      if (got > 0) {
        outputs[i - 1]->append(piece.data(), static_cast<std::size_t>(got));
      } else {
        close(ends[i]);
        ends[i] = -1;
      }
    }
  }
}

}  // namespace

Finished run_program(const std::vector<std::string>& argv, const std::string& input) {
  Finished finished;
  std::array<std::array<int, 2>, 3> pipes{};
  // No test assertion here: this also runs when the program ends, outside of any test.
  for (auto& ends : pipes) {
    if (pipe2(ends.data(), O_CLOEXEC) != 0) return finished;
  }
  const pid_t child = fork();
  if (child < 0) return finished;
  if (child == 0) become(argv, {pipes[0][0], pipes[1][1], pipes[2][1]});
  close(pipes[0][0]);
  close(pipes[1][1]);
  close(pipes[2][1]);
  std::array<int, 3> ours{pipes[0][1], pipes[1][0], pipes[2][0]};
  exchange(ours, input, finished);
  if (ours[0] >= 0) close(ours[0]);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  finished.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return finished;
}

std::optional<std::string> LocalPostgres::missing() {
  if (server_directory().empty())
    return "PostgreSQL's server programs are not installed (apt install postgresql)";
  return std::nullopt;
}

LocalPostgres::LocalPostgres() {
  signal(SIGPIPE, SIG_IGN);
  std::string pattern = std::filesystem::temp_directory_path() / "truenas-postgres-XXXXXX";
  REQUIRE(mkdtemp(pattern.data()) != nullptr);
  directory_ = pattern;
  if (geteuid() == 0) REQUIRE(chown(directory_.c_str(), k_nobody, k_nobody) == 0);
  REQUIRE(chmod(directory_.c_str(), 0755) == 0);
  const std::string bin = server_directory();
  Finished made = run_program({bin + "/initdb", "--pgdata=" + directory_ + "/primary", "--username=postgres",
                               "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"});
  REQUIRE_MESSAGE(made.exit_code == 0, made.err);
  start("primary");
  made = run_program({bin + "/pg_basebackup", "--host=" + directory_, "--port=5001", "--username=postgres",
                      "--pgdata=" + directory_ + "/replica", "--checkpoint=fast", "--write-recovery-conf",
                      "--no-sync"});
  REQUIRE_MESSAGE(made.exit_code == 0, made.err);
  start_replica();
  change("CREATE DATABASE coder", "postgres");
}

LocalPostgres::~LocalPostgres() {
  const std::string bin = server_directory();
  for (const char* instance : {"replica", "primary"}) {
    run_program({bin + "/pg_ctl", "--pgdata=" + directory_ + "/" + instance, "--mode=immediate", "stop"});
  }
  std::error_code error;
  std::filesystem::remove_all(directory_, error);
}

void LocalPostgres::start(const std::string& instance) {
  const std::string port = instance == "primary" ? "5001" : "5002";
  const std::string settings = "-c listen_addresses='' -c unix_socket_directories=" + directory_ +
                               " -c port=" + port +
                               " -c fsync=off -c shared_buffers=16MB -c max_connections=30";
  const Finished started =
      run_program({server_directory() + "/pg_ctl", "--pgdata=" + directory_ + "/" + instance, "--wait",
                   "--log=" + directory_ + "/" + instance + ".log", "--options=" + settings, "start"});
  std::ifstream log(directory_ + "/" + instance + ".log");
  const std::string text{std::istreambuf_iterator<char>(log), {}};
  REQUIRE_MESSAGE(started.exit_code == 0, started.err, text);
}

void LocalPostgres::stop_replica() {
  const Finished stopped = run_program({server_directory() + "/pg_ctl", "--pgdata=" + directory_ + "/replica",
                                        "--mode=fast", "--wait", "stop"});
  REQUIRE_MESSAGE(stopped.exit_code == 0, stopped.err);
}

void LocalPostgres::start_replica() {
  start("replica");
}

void LocalPostgres::promote_replica() {
  const Finished promoted = run_program(
      {server_directory() + "/pg_ctl", "--pgdata=" + directory_ + "/replica", "--wait", "promote"});
  REQUIRE_MESSAGE(promoted.exit_code == 0, promoted.err);
}

std::string LocalPostgres::replica_file(const std::string& relative) const {
  return directory_ + "/replica/" + relative;
}

Result<SqlOutcome> LocalPostgres::run(const SqlCall& call) const {
  std::vector<std::string> argv{"env", "PGHOST=" + directory_,
                                std::string("PGPORT=") + (call.instance == "primary" ? "5001" : "5002")};
  for (std::string& argument : psql_argv(call)) argv.push_back(std::move(argument));
  const Finished finished = run_program(argv, call.script ? call.sql : "");
  kube::ExecResult result;
  result.exit_code = finished.exit_code;
  result.out = finished.out;
  result.err = finished.err;
  return parse_psql(call, result);
}

Finished LocalPostgres::tool(const std::vector<std::string>& argv, const std::string& input) const {
  std::vector<std::string> all{"env", "PGHOST=" + directory_, "PGPORT=5001", "PGUSER=postgres",
                               server_directory() + "/" + argv.front()};
  all.insert(all.end(), argv.begin() + 1, argv.end());
  return run_program(all, input);
}

SqlRunner LocalPostgres::runner() const {
  const auto run_here = [this](const SqlCall& call) { return run(call); };
  return {run_here, run_here};
}

std::vector<SqlRow> LocalPostgres::change(const std::string& sql, const std::string& database) const {
  SqlCall call;
  call.instance = "primary";
  call.database = database;
  call.sql = sql;
  call.script = true;
  call.read_only = false;
  auto outcome = run(call);
  REQUIRE_MESSAGE(outcome.ok(), outcome.error().what);
  REQUIRE_MESSAGE(!outcome->failed, outcome->message);
  return outcome->rows;
}

std::vector<SqlRow> LocalPostgres::look(const std::string& instance, const std::string& sql,
                                        const std::string& database) const {
  SqlCall call;
  call.instance = instance;
  call.database = database;
  call.sql = sql;
  auto outcome = run(call);
  REQUIRE_MESSAGE(outcome.ok(), outcome.error().what);
  REQUIRE_MESSAGE(!outcome->failed, outcome->message);
  return outcome->rows;
}

}  // namespace truenas::cnpg
