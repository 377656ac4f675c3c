#include "tests/unit/kube/generated_kubeconfig.h"

#include <fmt/format.h>

#include <random>

#include "lib/base/text.h"

namespace truenas::kube::test {
namespace {

using json::Value;

class Generator {
 public:
  Generator(std::uint32_t seed, const TemporaryFolder& folder, const GeneratorOptions& options)
      : random_(seed), folder_(folder), options_(options) {}

  KubeconfigCase make() {
    entry_.item = "generated";
    entry_.directory = folder_.path();
    entry_.variables["HOME"] = folder_.path();
    std::filesystem::create_directories(folder_.path("sub"));
    for (const char* name : {"ca.crt", "client.crt", "client.key"}) {
      const std::string content = fixture_file(std::string("pem/") + name);
      folder_.write(name, content);
      folder_.write(std::string("sub/") + name, content);
    }
    folder_.write("token", "token-of-file\n");
    folder_.write("sub/token", "token-of-sub\n");
    write_files();
    make_flags();
    return entry_;
  }

 private:
  bool chance(unsigned percent) { return random_() % 100 < percent; }
  const char* one_of(std::initializer_list<const char*> choices) {
    return choices.begin()[random_() % choices.size()];
  }

  Value cluster() {
    Value cluster = Value::object();
    if (chance(97)) {
      cluster.set("server", one_of({"https://127.0.0.1:1", "https://127.0.0.1:2", "https://127.0.0.1:4",
                                    "https://127.0.0.1:5", "https://127.0.0.1:6/", "https://localhost:1",
                                    "https://127.0.0.1:3/k8s/clusters/c-1/", "http://127.0.0.1:1",
                                    "127.0.0.1:1", "https://[::1]:1", "HTTPS://127.0.0.1:1",
                                    "https://127.0.0.1:8/a/b?c=d", "", "127.0.0.1:1/prefix"}));
    }
    if (chance(25))
      cluster.set("certificate-authority",
                  chance(6) ? "gone.crt" : one_of({"ca.crt", "./ca.crt", "x/../ca.crt"}));
    if (chance(15)) {
      cluster.set("certificate-authority-data", base64_encode(fixture_file("pem/other-ca.crt")));
    }
    if (chance(10)) cluster.set("insecure-skip-tls-verify", chance(70));
    if (chance(20)) cluster.set("tls-server-name", one_of({"one.example", "two.example", ""}));
    if (chance(12)) {
      cluster.set("proxy-url", one_of({"http://127.0.0.1:9", "socks5://127.0.0.1:9", "https://127.0.0.1:9",
                                       "http://a:b@127.0.0.1:9", "ftp://127.0.0.1:9", "127.0.0.1:9", ""}));
    }
    if (chance(10)) cluster.set("disable-compression", true);
    return cluster;
  }

  Value exec() {
    Value exec = Value::object();
    if (chance(95))
      exec.set("command", one_of({"no-such-plugin", "./no-such-plugin", "sub/../no-such-plugin"}));
    exec.set("apiVersion", chance(50)   ? "client.authentication.k8s.io/v1"
                           : chance(80) ? "client.authentication.k8s.io/v1beta1"
                           : chance(70) ? "client.authentication.k8s.io/v1alpha1"
                                        : "");
    if (chance(90)) exec.set("interactiveMode", chance(5) ? "Sometimes" : one_of({"Never", "IfAvailable"}));
    if (chance(30)) exec.set("args", Value::array({"a", "b c"}));
    if (chance(30)) {
      exec.set("env", Value::array({Value::object({{"name", chance(93) ? "A" : ""}, {"value", "1"}})}));
    }
    if (chance(20)) exec.set("provideClusterInfo", true);
    return exec;
  }

  Value user() {
    Value user = Value::object();
    if (chance(45)) user.set("token", one_of({"token-a", "token-b"}));
    if (chance(15)) user.set("tokenFile", chance(15) ? "gone-token" : one_of({"token", "./token"}));
    if (chance(7)) user.set("username", "name");
    if (chance(4)) user.set("password", "word");
    if (chance(20)) {
      user.set("client-certificate", chance(92) ? "client.crt" : "gone.crt");
      if (chance(93)) user.set("client-key", "client.key");
    }
    if (chance(12)) {
      user.set("client-certificate-data", base64_encode(fixture_file("pem/client.crt")));
      if (chance(93)) user.set("client-key-data", base64_encode(fixture_file("pem/client.key")));
    }
    if (chance(20)) user.set("exec", exec());
    if (chance(2)) user.set("auth-provider", Value::object({{"name", one_of({"gcp", "azure", "no-such"})}}));
    if (chance(10)) user.set("as", "somebody");
    if (chance(4)) user.set("as-groups", Value::array({"g1", "g2"}));
    if (chance(3)) user.set("as-uid", "uid-1");
    return user;
  }

  Value context() {
    Value context = Value::object();
    if (chance(95)) context.set("cluster", chance(3) ? "gone" : one_of({"c1", "c2"}));
    if (chance(95)) context.set("user", chance(5) ? "gone" : one_of({"u1", "u2"}));
    if (chance(40)) context.set("namespace", one_of({"space-a", "space-b", "default", ""}));
    return context;
  }

  // `wrong`: now and then one field of another type, or a name twice.
  std::string file() {
    Value config = Value::object();
    if (chance(80)) config.set("apiVersion", chance(99) ? "v1" : "v2");
    if (chance(80)) config.set("kind", "Config");
    Value clusters = Value::array(), users = Value::array(), contexts = Value::array();
    for (const char* name : {"c1", "c2"}) {
      if (chance(88)) clusters.push_back(Value::object({{"name", name}, {"cluster", cluster()}}));
    }
    for (const char* name : {"u1", "u2"}) {
      if (chance(88)) users.push_back(Value::object({{"name", name}, {"user", user()}}));
    }
    for (const char* name : {"x1", "x2"}) {
      if (chance(88)) contexts.push_back(Value::object({{"name", name}, {"context", context()}}));
    }
    if (chance(2) && !clusters.items().empty()) clusters.push_back(Value(clusters.items()[0]));
    if (chance(2)) users.push_back(Value::object({{"name", "u3"}, {"user", Value::object({{"token", 1}})}}));
    config.set("clusters", std::move(clusters));
    config.set("users", std::move(users));
    config.set("contexts", std::move(contexts));
    if (chance(93)) config.set("current-context", chance(93) ? one_of({"x1", "x2"}) : one_of({"gone", ""}));
    if (chance(2)) return "{" + json::write(config);
    return chance(50) ? json::write_yaml(config) : json::write_pretty(config);
  }

  void write_files() {
    std::vector<std::string> names = {"config-1"};
    if (chance(50)) names.push_back("sub/config-2");
    if (chance(20)) names.push_back("config-3");
    for (const std::string& name : names) folder_.write(name, chance(3) ? "" : file());
    if (chance(6)) names.insert(names.begin(), "no-such-file");
    if (chance(35)) {
      flag("kubeconfig", entry_.flags.kubeconfig, names[random_() % names.size()]);
    } else {
      entry_.variables["KUBECONFIG"] = join(names, ":");
    }
    if (chance(5)) entry_.variables["KUBERNETES_MASTER"] = "http://127.0.0.1:6";
  }

  void flag(const std::string& name, std::optional<std::string>& field, const std::string& value) {
    field = value;
    entry_.arguments.push_back(fmt::format("--{}={}", name, value));
    if (name != "kubeconfig" && name != "context") entry_.only_files_and_context = false;
  }

  void make_flags() {
    ConnectionFlags& flags = entry_.flags;
    if (chance(20)) flag("context", flags.context, chance(8) ? "gone" : one_of({"x1", "x2"}));
    if (chance(50)) return;  // often enough none, for comparison with `config view`
    if (chance(12)) flag("cluster", flags.cluster, chance(8) ? "gone" : one_of({"c1", "c2"}));
    if (chance(12)) flag("user", flags.user, chance(8) ? "gone" : one_of({"u1", "u2"}));
    if (chance(15)) flag("server", flags.server, one_of({"https://127.0.0.1:7", "http://127.0.0.1:7"}));
    if (chance(15)) flag("token", flags.token, "token-of-flag");
    if (chance(15)) flag("namespace", flags.ns, "space-of-flag");
    if (chance(12)) {
      flag("certificate-authority", flags.certificate_authority,
           chance(8) ? "gone.crt" : one_of({"ca.crt", "sub/ca.crt"}));
    }
    if (chance(12)) {
      flags.insecure_skip_tls_verify = chance(80);
      entry_.arguments.push_back(
          fmt::format("--insecure-skip-tls-verify={}", *flags.insecure_skip_tls_verify));
      entry_.only_files_and_context = false;
    }
    if (chance(12)) flag("tls-server-name", flags.tls_server_name, "flag.example");
    if (chance(10)) flag("as", flags.as, "flag-user");
    if (chance(6)) flag("as-uid", flags.as_uid, "flag-uid");
    if (chance(6)) {
      flags.as_groups = {"flag-group"};
      entry_.arguments.push_back("--as-group=flag-group");
      entry_.only_files_and_context = false;
    }
    if (chance(10))
      flag("request-timeout", flags.request_timeout, chance(10) ? "soon" : one_of({"3", "3s", "0", "1m"}));
    make_newer_flags(flags);
  }

  void make_newer_flags(ConnectionFlags& flags) {
    if (options_.certificate_flags && chance(10)) {
      flag("client-certificate", flags.client_certificate, one_of({"client.crt", "gone.crt"}));
    }
    if (options_.certificate_flags && chance(10)) flag("client-key", flags.client_key, "sub/client.key");
    if (options_.extra_flags && chance(6)) {
      flags.as_user_extra = {"key=value", "malformed", "key=other"};
      for (const std::string& extra : flags.as_user_extra) {
        entry_.arguments.push_back("--as-user-extra=" + extra);
      }
      entry_.only_files_and_context = false;
    }
  }

  std::mt19937 random_;  // its sequence is fixed by the standard, unlike that of the distributions
  const TemporaryFolder& folder_;
  const GeneratorOptions options_;
  KubeconfigCase entry_;
};

}  // namespace

KubeconfigCase generate_case(std::uint32_t seed, const TemporaryFolder& folder,
                             const GeneratorOptions& options) {
  KubeconfigCase entry = Generator(seed, folder, options).make();
  entry.name = "seed " + std::to_string(seed);
  return entry;
}

}  // namespace truenas::kube::test
