// volume-mover: moves a tree of files from one volume to another and proves it. Modes, flags and exit codes
// are in usage_text(); everything is done in the library.
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <map>
#include <string>
#include <string_view>

#include "lib/base/interrupt.h"
#include "lib/mover/command.h"
#include "lib/mover/report.h"

namespace {

using truenas::Result;
using truenas::mover::Outcome;
using truenas::mover::Reporter;

using Mode = Result<Outcome> (*)(const std::vector<std::string>&, Reporter&);

constexpr int k_usage = 2;

void on_signal(int number) {
  truenas::request_interrupt(number);
}

void install_signals() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaction(number, &action, nullptr);
  // A closed log must not end a run half way: writing to it fails instead.
  std::signal(SIGPIPE, SIG_IGN);
}

// Many directories and files are open at once; a container's soft limit may be 1024.
void raise_open_files() {
  struct rlimit limit {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

int misuse(const std::string& what) {
  std::fprintf(stderr, "error: %s\nRun 'volume-mover --help' for the modes and their flags.\n", what.c_str());
  return k_usage;
}

// Takes --termination-log=FILE out of the words; the kubelet's own file otherwise.
std::string termination_file(std::vector<std::string>& words) {
  constexpr std::string_view flag = "--termination-log=";
  std::string file = "/dev/termination-log";
  for (auto word = words.begin(); word != words.end();) {
    if (word->starts_with(flag)) {
      file = word->substr(flag.size());
      word = words.erase(word);
    } else {
      ++word;
    }
  }
  return file;
}

}  // namespace

int main(int count, char** arguments) {
  using namespace truenas::mover;
  const std::map<std::string_view, Mode> modes = {{"probe", run_probe},       {"scan", run_scan},
                                                  {"copy", run_copy},         {"compare", run_compare},
                                                  {"manifest", run_manifest}, {"check", run_check}};
  if (count < 2) return misuse("a mode is missing");
  const std::string_view mode = arguments[1];
  if (mode == "--help" || mode == "-h" || mode == "help") {
    std::fputs(usage_text().c_str(), stdout);
    return 0;
  }
  if (mode == "--version" || mode == "version") {
    std::printf("volume-mover %s\n", TM_VERSION);
    return 0;
  }
  const auto known = modes.find(mode);
  if (known == modes.end()) return misuse("unknown mode " + std::string(mode));
  std::vector<std::string> words(arguments + 2, arguments + count);
  ReportOptions report;
  report.termination_file = termination_file(words);
  JsonReporter reporter(report);
  install_signals();
  raise_open_files();
  umask(0);  // every mode is given by what is copied
  const Result<Outcome> outcome = known->second(words, reporter);
  if (!outcome) {
    reporter.result(failed_outcome(std::string(mode), outcome.error()));
    return misuse(outcome.error().what);
  }
  reporter.result(*outcome);
  return outcome->exit;
}
