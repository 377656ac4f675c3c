// The stand-in coderd as a program for tests on a real cluster: its builds do to the claims of a real API
// server what Terraform does, by the plugin's own client. It adopts every claim of the namespace that is a
// workspace's.
//
//   fake_coderd --kubeconfig=FILE --namespace=coder-workspaces [--template=FILE] [--as=USER] [--image=IMAGE]
//
// Says "PORT n" (the token is "coder-test-token") and obeys the commands of coderd_program.h on stdin, and
// "quit".

#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <sstream>

#include "lib/base/text.h"
#include "lib/kube/kubeconfig.h"
#include "tests/fakes/coderd_program.h"
#include "tests/fakes/coderd_transport.h"

namespace truenas::fakes {
namespace {

struct Settings {
  std::string kubeconfig, ns = "coder-workspaces", text, as;
  CoderdOptions coder;
};

bool read_option(std::string_view argument, Settings& settings) {
  const std::size_t equals = argument.find('=');
  if (equals == std::string_view::npos) return false;
  const std::string_view name = argument.substr(0, equals);
  const std::string value(argument.substr(equals + 1));
  if (name == "--kubeconfig") {
    settings.kubeconfig = value;
  } else if (name == "--namespace") {
    settings.ns = settings.coder.workspaces_ns = value;
  } else if (name == "--as") {
    settings.as = value;
  } else if (name == "--image") {
    settings.coder.image = value;
  } else if (name == "--template") {
    std::ifstream input(value);
    std::stringstream text;
    text << input.rdbuf();
    settings.text = text.str();
    return static_cast<bool>(input);
  } else {
    return false;
  }
  return true;
}

Result<std::unique_ptr<kube::Session>> connect(const Settings& settings) {
  kube::ConnectionFlags flags;
  if (!settings.kubeconfig.empty()) flags.kubeconfig = settings.kubeconfig;
  if (!settings.as.empty()) flags.as = settings.as;
  TM_TRY_ASSIGN(const kube::ClientConfig config,
                kube::resolve_client_config(flags, kube::process_environment()));
  const auto log = [](std::string_view line) {
    std::fprintf(stderr, "%.*s\n", static_cast<int>(line.size()), line.data());
  };
  return kube::open_session(config, 0, log, system_clock());
}

void say(const std::string& line) {
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

int serve(const Settings& settings) {
  Result<std::unique_ptr<kube::Session>> session = connect(settings);
  if (!session.ok()) {
    std::fprintf(stderr, "error: %s\n", session.error().what.c_str());
    return 1;
  }
  Coderd coder(
      door_to(**session), [] { return system_clock().steady(); }, settings.coder);
  coder.add_version("kubernetes", settings.text.empty() ? coderd_template() : settings.text);
  coder.adopt_claims(settings.ns, "kubernetes");
  CoderdProgram program(coder, say);
  say("PORT " + std::to_string(program.port()));
  std::atomic<bool> ended = false;
  std::thread life([&] {
    while (!ended) {
      coder.tick();
      usleep(200'000);
    }
  });
  std::string line;
  while (std::getline(std::cin, line) && trim(line) != "quit") program.obey(split(trim(line), ' '));
  ended = true;
  life.join();
  return 0;
}

}  // namespace
}  // namespace truenas::fakes

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  truenas::fakes::Settings settings;
  for (int i = 1; i < argc; ++i) {
    if (truenas::fakes::read_option(argv[i], settings)) continue;
    std::fprintf(stderr, "error: unknown or unreadable option %s\n", argv[i]);
    return 2;
  }
  return truenas::fakes::serve(settings);
}
