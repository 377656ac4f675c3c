// A FakeCluster as a program, so that the real plugin can be run against it, killed at its k-th write and run
// again. It listens on 127.0.0.1, writes a kubeconfig and says what happens on stdout, line by line:
//
//   PORT 34567
//   WRITE 3 PATCH /api/v1/persistentvolumes/pvc-1     (each write, when it arrives)
//   PAUSED before 3 | PAUSED after 3                  (the cluster stands still until "go")
//   STATE {"acknowledged":120,…}
//
// Commands on stdin, a line each: "pause before K", "pause after K" (also --pause-before-write=K and so on),
// "drop K" (apply write K, lose its reply), "answer K CODE", "go", "state", "write N" (N client writes),
// "writer on|off" (one client write a tick), "mover CLAIM MODE fail|crash|hold|well" (how movers of this mode
// that read the claim end: told that it did not work, killed without a word, not at all), "quit". Writes are
// counted from the start of the program; STATE also has how often each kind of thing was asked for ("GET
// pods": 12; a watch is "WATCH pods"). With --coder homes have files, movers run, and a stand-in coderd
// (coderd_program.h) says "CODER-PORT n".

#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <iostream>

#include "lib/base/text.h"
#include "tests/fakes/coderd_program.h"
#include "tests/fakes/coderd_transport.h"
#include "tests/fakes/fake_api_settings.h"
#include "tests/fakes/fleet.h"
#include "tests/fakes/homes.h"
#include "tests/fakes/http_server.h"
#include "tests/fakes/spoiled_movers.h"
#include "tests/fakes/status_reply.h"
#include "tests/fakes/watch_stream.h"

namespace truenas::fakes {
namespace {

class Program {
 public:
  explicit Program(const Settings& settings) : settings_(settings) {
    cluster_.cnpg.options = settings.cnpg;
    if (!settings.empty && !build_site(cluster_, settings.site)) say("ERROR the site did not settle");
    put_fleet(cluster_, settings.fleet);
    put_stopped_homes(cluster_, settings.stopped_homes);
    if (settings.stopped_homes > 0) put_coder_rights(cluster_);
    if (settings.coder || settings.stopped_homes > 0) {
      fill_homes(cluster_);
      spoiled_.take_over(cluster_);
    }
    if (settings.coder) {
      coder_.add_version("kubernetes", coderd_template());
      coder_.adopt_claims("coder-workspaces", "kubernetes");
    }
    pause_before_ = settings.pause_before;
    pause_after_ = settings.pause_after;
    if (settings.drop > 0) cluster_.faults.add(drop_reply(write_number(settings.drop)));
    cluster_.on_request = [this](const Seen& seen, bool applied) { notice(seen, applied); };
    cluster_.each_tick = [this] {
      if (writer_) cluster_.cnpg.write(settings_.site.ns, settings_.site.cluster);
    };
  }

  int run() {
    HttpServer server(
        {[this](const http::Request& request) { return exchange(request); },
         [this](const http::Request& request, const std::vector<std::string>& protocols) {
           return cluster_.upgrade(request, protocols);
         },
         [this](const http::Request& request, const http::Response& reply) { return rest(request, reply); }});
    write_kubeconfig(server.port());
    std::optional<CoderdProgram> coder;
    if (settings_.coder) {
      coder.emplace(coder_, [this](const std::string& line) { say(line); });
      say(fmt::format("CODER-PORT {}", coder->port()));
    }
    say(fmt::format("PORT {}", server.port()));
    std::thread life([this] {
      while (!ended_) {
        usleep(static_cast<useconds_t>(settings_.tick_ms) * 1000);
        cluster_.tick();
        if (settings_.coder) coder_.tick();
      }
    });
    std::string line;
    while (std::getline(std::cin, line)) {
      if (coder && coder->obey(split(trim(line), ' '))) continue;
      if (!obey(line)) break;
    }
    ended_ = true;
    go();
    life.join();
    return 0;
  }

 private:
  void say(const std::string& line) {
    const std::lock_guard<std::mutex> lock(output_);
    std::printf("%s\n", line.c_str());
    std::fflush(stdout);
  }

  void write_kubeconfig(int port) {
    if (settings_.kubeconfig.empty()) return;
    std::ofstream file(settings_.kubeconfig);
    file << fmt::format(
        "apiVersion: v1\nkind: Config\ncurrent-context: fake\n"
        "clusters:\n- name: fake\n  cluster: {{server: \"http://127.0.0.1:{}\"}}\n"
        "users:\n- name: tester\n  user: {{token: fake}}\n"
        "contexts:\n- name: fake\n  context: {{cluster: fake, user: tester, namespace: {}}}\n",
        port, settings_.site.ns);
  }

  HttpServer::Reply exchange(const http::Request& request) {
    Exchange exchange = cluster_.exchange(request);
    if (exchange.end != Exchange::End::replied) return std::nullopt;
    return std::move(exchange.response);
  }

  // A watch stays open, in the cluster's own time.
  HttpServer::Rest rest(const http::Request& request, const http::Response& reply) {
    return follow_watch(cluster_, request, reply, [this] {
      usleep(static_cast<useconds_t>(settings_.tick_ms) * 1000);
      return !ended_;
    });
  }

  void count(const http::Request& request) {
    const auto path = parse_api_path(request.target);
    if (!path) return;
    const std::lock_guard<std::mutex> lock(counting_);
    const bool watch = path->parameter("watch") == "true";
    const bool list = request.method == "GET" && path->name.empty();
    ++asked_[fmt::format("{} {}", watch ? "WATCH" : list ? "LIST" : request.method, path->plural)];
  }

  void notice(const Seen& seen, bool applied) {
    if (!applied) count(seen.what);
    if (seen.write == 0) return;
    if (!applied) say(fmt::format("WRITE {} {} {}", seen.write, seen.what.method, seen.what.target));
    if (seen.write != (applied ? pause_after_.load() : pause_before_.load())) return;
    std::unique_lock<std::mutex> lock(pausing_);
    may_go_ = false;
    say(fmt::format("PAUSED {} {}", applied ? "after" : "before", seen.write));
    going_.wait(lock, [this] { return may_go_ || ended_; });
  }

  void go() {
    const std::lock_guard<std::mutex> lock(pausing_);
    may_go_ = true;
    going_.notify_all();
  }

  bool obey(const std::string& line) {
    const std::vector<std::string> words = split(trim(line), ' ');
    const auto number = [&](std::size_t i) {
      std::size_t value = 0;
      if (i < words.size()) std::from_chars(words[i].data(), words[i].data() + words[i].size(), value);
      return value;
    };
    const auto word = [&](std::size_t i) { return i < words.size() ? words[i] : std::string(); };
    if (word(0) == "quit") return false;
    if (word(0) == "go") go();
    if (word(0) == "pause") (word(1) == "after" ? pause_after_ : pause_before_) = number(2);
    if (word(0) == "drop") cluster_.add_fault(drop_reply(write_number(number(1))));
    if (word(0) == "answer") {
      const int code = static_cast<int>(number(2));
      cluster_.add_fault(answer(write_number(number(1)), code == 429 ? too_many_requests()
                                                         : code == 409
                                                             ? conflict("", "objects", "x", k_modified)
                                                             : internal_error()));
    }
    if (word(0) == "writer") writer_ = word(1) == "on";
    if (word(0) == "write") {
      for (std::size_t i = 0; i < number(1); ++i) cluster_.write(settings_.site.ns, settings_.site.cluster);
    }
    if (word(0) == "mover") spoiled_.set(word(1), word(2), word(3));
    if (word(0) == "state") say("STATE " + json::write(state()));
    return true;
  }

  json::Value asked() {
    const std::lock_guard<std::mutex> lock(counting_);
    json::Value counts = json::Value::object();
    for (const auto& [what, times] : asked_) counts.set(what, times);
    return counts;
  }

  json::Value state() {
    const std::string &ns = settings_.site.ns, &name = settings_.site.cluster;
    json::Value lost = json::Value::array();
    for (const Dataset& dataset : cluster_.destroyed_data()) {
      lost.push_back(json::Value::object(
          {{"path", dataset.path}, {"made_for", dataset.made_for}, {"value", dataset.value}}));
    }
    const FakeCluster::DatabaseState database = cluster_.database(ns, name);
    return json::Value::object({{"acknowledged", database.acknowledged},
                                {"stored", database.stored.value_or(-1)},
                                {"phase", database.phase},
                                {"writes", static_cast<std::int64_t>(cluster_.writes())},
                                {"destroyed_data", lost},
                                {"asked", asked()},
                                {"homes", describe_homes(cluster_)}});
  }

  Settings settings_;
  FakeCluster cluster_;
  Coderd coder_{door_to(cluster_), [this] { return cluster_.elapsed(); }};
  std::atomic<bool> ended_ = false, writer_ = true;
  std::atomic<std::size_t> pause_before_ = 0, pause_after_ = 0;
  std::mutex output_, pausing_, counting_;
  std::map<std::string, std::int64_t> asked_;
  SpoiledMovers spoiled_;
  std::condition_variable going_;
  bool may_go_ = false;
};

}  // namespace
}  // namespace truenas::fakes

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  truenas::fakes::Settings settings;
  for (int i = 1; i < argc; ++i) {
    if (truenas::fakes::read_option(argv[i], settings)) continue;
    std::fprintf(stderr, "error: unknown option %s\n", argv[i]);
    return 2;
  }
  return truenas::fakes::Program(settings).run();
}
