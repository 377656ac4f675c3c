#include "tests/fakes/fake_cluster.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <thread>

#include "lib/base/text.h"
#include "tests/fakes/objects.h"
#include "tests/fakes/status_reply.h"

namespace truenas::fakes {
namespace {

using json::Value;
using Lock = std::lock_guard<std::recursive_mutex>;

constexpr std::chrono::microseconds k_birth{1795354114000000};  // 2026-11-22T13:28:34Z

bool is_write(const std::string& method) {
  return method != "GET" && method != "HEAD";
}

}  // namespace

FakeCluster::FakeCluster() : api(store), storage(store, nas), workloads(store), cnpg(store, storage) {
  store.now = [this] { return wall(); };
  api.read_log = [this](const Key& pod, const ApiPath& path) { return read_log(pod, path); };
  workloads.run_pod = [this](const Value& pod) { return run_canary(pod); };
  for (std::string_view name : {"default", "kube-system"}) {
    put(Value::object({{"apiVersion", "v1"},
                       {"kind", "Namespace"},
                       {"metadata", Value::object({{"name", name}})},
                       {"status", Value::object({{"phase", "Active"}})}}));
  }
  put(Value::object(
      {{"apiVersion", "v1"}, {"kind", "Node"}, {"metadata", Value::object({{"name", "node1"}})}}));
}

std::chrono::milliseconds FakeCluster::elapsed() const {
  const Lock lock(mutex_);
  return elapsed_;
}

std::chrono::microseconds FakeCluster::wall() const {
  return k_birth + elapsed();
}

bool FakeCluster::write(std::string_view ns, std::string_view name) {
  const Lock lock(mutex_);
  return cnpg.write(ns, name);
}

FakeCluster::DatabaseState FakeCluster::database(std::string_view ns, std::string_view name) {
  const Lock lock(mutex_);
  const Value* found = store.find(key_of(kube::k_cluster, ns, name));
  return {found != nullptr ? found->text_at("/status/phase") : "", cnpg.acknowledged(ns, name),
          cnpg.stored(ns, name)};
}

void FakeCluster::add_fault(Fault fault) {
  const Lock lock(mutex_);
  faults.add(std::move(fault));
}

http::Response FakeCluster::handle(const http::Request& request) {
  const Lock lock(mutex_);
  return api.handle(request);
}

Exchange FakeCluster::exchange(const http::Request& request) {
  const Lock lock(mutex_);
  ++requests_;
  const bool asks_only = request.target.find("subjectaccessreviews") != std::string::npos;
  // Renewals of a lock come when they come: counted, "the k-th write" would be another one each time.
  const bool renewal = request.target.find("/coordination.k8s.io/") != std::string::npos;
  const bool write = is_write(request.method) && !asks_only && !renewal;
  const Seen seen{requests_, write ? ++writes_ : 0, request};
  if (on_request) on_request(seen, false);
  const Fault* fault = faults.strike(seen);
  const auto kind = fault != nullptr ? std::optional(fault->kind) : std::nullopt;
  if (kind == Fault::Kind::refuse) return {Exchange::End::refused, {}};
  if (kind == Fault::Kind::answer) return {Exchange::End::replied, fault->reply};
  if (kind == Fault::Kind::before) fault->change();
  Exchange exchange{Exchange::End::replied, api.handle(request)};
  if (kind == Fault::Kind::after) fault->change();
  if (on_request) on_request(seen, true);
  if (kind == Fault::Kind::drop_reply) return {Exchange::End::dropped, {}};
  return exchange;
}

std::variant<std::unique_ptr<http::WebSocket>, http::Response> FakeCluster::upgrade(
    const http::Request& request, const std::vector<std::string>& protocols) {
  const Lock lock(mutex_);
  const auto path = parse_api_path(request.target);
  if (!path || path->plural != "pods" || path->subresource != "exec") return unknown_resource();
  for (std::string_view verb : {"get", "create"}) {
    if (!api.allows(verb, *path)) {
      return failure(
          403, "Forbidden",
          fmt::format("pods \"{}\" is forbidden: User \"tester\" cannot {} resource \"pods/exec\" in API "
                      "group \"\" in the namespace \"{}\"",
                      path->name, verb, path->ns),
          "", "pods", path->name);
    }
  }
  const Key key = pod_key(path->ns, path->name);
  const Value* pod = store.find(key);
  if (pod == nullptr) return not_found("", "pods", path->name);
  if (pod->text_at("/status/phase") != "Running") {
    return failure(500, "InternalError", "Internal error occurred: container not found (\"\")");
  }
  const bool known = std::any_of(protocols.begin(), protocols.end(), [](const std::string& protocol) {
    return protocol == "v5.channel.k8s.io" || protocol == "v4.channel.k8s.io";
  });
  if (!known) return http::Response{403, {}, ""};  // X3
  ExecCommand command{key, path->parameter("container"), {}, ""};
  const auto [first, last] = path->query.equal_range("command");
  for (auto at = first; at != last; ++at) command.argv.push_back(at->second);
  return std::make_unique<ExecSocket>(
      protocols.front(), std::move(command), path->parameter("stdin") == "true",
      [this](const ExecCommand& asked) { return run_command(asked); }, exec_fault);
}

// "Seen" is asked while another session is still on its way to the lock.
void FakeCluster::wait_for_lock(const Key& pod) {
  for (int tries = 0; tries < 3000; ++tries) {
    {
      const Lock lock(mutex_);
      if (cnpg.is_locked(pod)) return;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

ExecOutcome FakeCluster::run_command(const ExecCommand& command) {
  const std::optional<PsqlCall> asked = parse_psql_call(command);
  const auto asks = [&](std::string_view part) {
    return asked && asked->sql.find(part) != std::string::npos;
  };
  if (asks("pg_locks") && asks("pg_logical_emit_message")) wait_for_lock(command.pod);
  const Lock lock(mutex_);
  const Value* pod = store.find(command.pod);
  if (pod == nullptr) return {137, "", "the pod is gone"};
  const std::optional<PsqlCall>& call = asked;
  if (!call) return exec ? exec(command) : ExecOutcome{127, "", "command not found\n"};
  if (!has_condition(*pod, "Ready")) {
    return {2, "", "psql: error: connection to server on socket failed: No such file or directory\n"};
  }
  const SqlAnswer answer =
      cnpg.answer({command.pod, kube::label_of(*pod, "cnpg.io/instanceRole") == "primary", call->database,
                   call->sql, call->read_only});
  return {answer.exit_code, answer.out, answer.err};
}

// The canary of lib/cnpg/canary.h: two Pods on one claim, the second finds what the first made. Every other
// Pod that is to end ends well.
PodEnd FakeCluster::run_canary(const Value& pod) {
  if (json::write(pod).find("canary: %s") == std::string::npos) return {};
  std::string claim;
  for (const Value& volume : pod.items_at("/spec/volumes")) {
    const std::string& name = volume.text_at("/persistentVolumeClaim/claimName");
    if (!name.empty()) claim = uid_of(*store.find(claim_key(pod.text_at("/metadata/namespace"), name)));
  }
  const int round = ++canary_rounds_[claim];
  std::string log = fmt::format("canary: identity 26:26\ncanary: root 0:0 777\ncanary: round {}\n", round);
  if (!canary_failure.empty())
    return {1, "", log + "canary: owner failed: " + canary_failure + "\ncanary: verdict failed owner\n"};
  for (const char* stage : {"create ok", "owner 26:26", "link ok", "sync ok", "initdb ok", "start ok",
                            "query ok", "stop ok", "verdict passed"}) {
    log += fmt::format("canary: {}\n", stage);
  }
  return {0, "", log};
}

http::Response FakeCluster::read_log(const Key& pod, const ApiPath& path) {
  const Value& object = *store.find(pod);
  if (object.text_at("/status/phase") == "Pending") {
    return bad_request(
        fmt::format("container in pod \"{}\" is waiting to start: ContainerCreating", pod.name));
  }
  const auto found = workloads.logs.find(uid_of(object));
  std::string text = found != workloads.logs.end() ? found->second : "";
  std::size_t lines = 0;
  const std::string& wanted = path.parameter("tailLines");
  if (!wanted.empty() &&
      std::from_chars(wanted.data(), wanted.data() + wanted.size(), lines).ec == std::errc{}) {
    std::size_t at = text.size();
    for (std::size_t i = 0; i <= lines && at != std::string::npos && at > 0; ++i)
      at = text.rfind('\n', at - 1);
    if (at != std::string::npos && at > 0) text.erase(0, at + 1);
  }
  return http::Response{200, {{"Content-Type", "text/plain"}}, text};
}

void FakeCluster::tick(int times) {
  const Lock lock(mutex_);
  for (int i = 0; i < times; ++i) {
    elapsed_ += std::chrono::seconds(1);
    if (each_tick) each_tick();
    cnpg.tick();
    storage.tick();
    workloads.tick();
  }
}

bool FakeCluster::tick_until(const std::function<bool()>& condition, int limit) {
  for (int i = 0; i < limit; ++i) {
    if (condition()) return true;
    tick();
  }
  return condition();
}

const Value& FakeCluster::put(Value object) {
  const Lock lock(mutex_);
  const std::string& version = object.text_at("/apiVersion");
  const std::size_t slash = version.find('/');
  Key key{slash == std::string::npos ? "" : version.substr(0, slash), "",
          object.text_at("/metadata/namespace"), object.text_at("/metadata/name")};
  for (const KnownResource& known : default_resources()) {
    if (known.group == key.group && known.kind == object.text_at("/kind")) key.plural = known.plural;
  }
  return store.insert(key, std::move(object));
}

const Value* FakeCluster::find(const kube::ResourceType& type, std::string_view ns,
                               std::string_view name) const {
  const Lock lock(mutex_);
  return store.find(key_of(type, ns, name));
}

void FakeCluster::meddle(const kube::ResourceType& type, std::string_view ns, std::string_view name,
                         const std::function<void(Value&)>& edit) {
  const Lock lock(mutex_);
  store.update(key_of(type, ns, name), edit);
}

void FakeCluster::erase(const kube::ResourceType& type, std::string_view ns, std::string_view name) {
  const Lock lock(mutex_);
  store.erase(key_of(type, ns, name));
}

std::vector<Dataset> FakeCluster::destroyed_data() const {
  const Lock lock(mutex_);
  std::vector<Dataset> lost;
  std::copy_if(nas.destroyed.begin(), nas.destroyed.end(), std::back_inserter(lost),
               [](const Dataset& dataset) { return dataset.has_data(); });
  return lost;
}

}  // namespace truenas::fakes
