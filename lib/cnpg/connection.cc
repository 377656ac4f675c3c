#include "lib/cnpg/connection.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/text.h"
#include "lib/json/view.h"

namespace truenas::cnpg {
namespace {

using json::Value;

bool owned_by(const Value& object, std::string_view uid) {
  return std::ranges::any_of(object.items_at("/metadata/ownerReferences"),
                             [&](const Value& owner) { return owner.text_at("/uid") == uid; });
}

ServiceFacts parse_service(const Value& service) {
  ServiceFacts facts;
  facts.uid = service.text_at("/metadata/uid");
  facts.cluster_ip = service.text_at("/spec/clusterIP");
  std::vector<std::string> ports;
  for (const Value& port : service.items_at("/spec/ports")) {
    ports.push_back(fmt::format("{}/{}", port.integer_at("/port"), port.text_at("/protocol")));
  }
  facts.ports = join(ports, ",");
  return facts;
}

}  // namespace

Result<ConnectionFacts> read_connection_facts(const kube::Reader& reader, const ClusterState& cluster) {
  ConnectionFacts facts;
  facts.secret_name = cluster.object.text_at("/spec/bootstrap/initdb/secret/name");
  if (facts.secret_name.empty()) facts.secret_name = cluster.name + "-app";
  TM_TRY_ASSIGN(const std::optional<Value> secret,
                reader.find(kube::k_secret, cluster.ns, facts.secret_name));
  if (secret) {
    facts.secret_uid = secret->text_at("/metadata/uid");
    facts.secret_resource_version = secret->text_at("/metadata/resourceVersion");
    for (const auto& [key, value] : secret->members_at("/data")) facts.secret_keys.push_back(key);
    std::ranges::sort(facts.secret_keys);
  }
  kube::ListOptions options;
  options.wanted = {"/metadata/name", "/metadata/uid", "/metadata/ownerReferences", "/spec/clusterIP",
                    "/spec/ports"};
  TM_TRY_ASSIGN(const std::vector<Value> services, reader.list(kube::k_service, cluster.ns, options));
  for (const Value& service : services) {
    if (owned_by(service, cluster.uid))
      facts.services[service.text_at("/metadata/name")] = parse_service(service);
  }
  return facts;
}

std::vector<std::string> changed_connections(const ConnectionFacts& before, const ConnectionFacts& after) {
  std::vector<std::string> changed;
  if (before.secret_name != after.secret_name) {
    changed.push_back(
        fmt::format("the application's secret is {} now, not {}", after.secret_name, before.secret_name));
  } else if (before.secret_uid != after.secret_uid) {
    changed.push_back(fmt::format("secret {} {}", after.secret_name,
                                  after.secret_uid.empty()    ? "is gone"
                                  : before.secret_uid.empty() ? "is new"
                                                              : "was made again: it has another password"));
  } else if (before.secret_resource_version != after.secret_resource_version) {
    changed.push_back(fmt::format("secret {} was written to", after.secret_name));
  }
  for (const auto& [name, service] : before.services) {
    const auto now = after.services.find(name);
    if (now == after.services.end()) {
      changed.push_back(fmt::format("service {} is gone", name));
    } else if (now->second.uid != service.uid) {
      changed.push_back(fmt::format("service {} was made again", name));
    } else if (now->second != service) {
      changed.push_back(fmt::format("service {} is {} {} now, not {} {}", name, now->second.cluster_ip,
                                    now->second.ports, service.cluster_ip, service.ports));
    }
  }
  return changed;
}

std::string connection_text(const ConnectionFacts& facts) {
  Value services = Value::object();
  for (const auto& [name, service] : facts.services) {
    services.set(
        name,
        Value::object({{"uid", service.uid}, {"clusterIP", service.cluster_ip}, {"ports", service.ports}}));
  }
  return json::write(
      Value::object({{"secret", Value::object({{"name", facts.secret_name},
                                               {"uid", facts.secret_uid},
                                               {"resourceVersion", facts.secret_resource_version}})},
                     {"services", std::move(services)}}));
}

Result<ConnectionFacts> parse_connection_text(const std::string& text) {
  const std::string source = "journal fact connections";
  TM_TRY_ASSIGN(const Value document, json::parse(text, source));
  const json::View view(document, source);
  ConnectionFacts facts;
  TM_TRY_ASSIGN(facts.secret_name, view.get_string("/secret/name"));
  TM_TRY_ASSIGN(facts.secret_uid, view.get_string("/secret/uid"));
  TM_TRY_ASSIGN(facts.secret_resource_version, view.get_string("/secret/resourceVersion"));
  for (const auto& [name, value] : document.members_at("/services")) {
    const json::View service(value, source);
    ServiceFacts& found = facts.services[name];
    TM_TRY_ASSIGN(found.uid, service.get_string("/uid"));
    TM_TRY_ASSIGN(found.cluster_ip, service.get_string("/clusterIP"));
    TM_TRY_ASSIGN(found.ports, service.get_string("/ports"));
  }
  return facts;
}

}  // namespace truenas::cnpg
