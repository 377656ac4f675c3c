#include "tests/contract/backend.h"

#include <fmt/format.h>

namespace truenas::contract {

using json::Value;

kube::Writer Backend::writer(bool server_dry_run) const {
  kube::Permit permit;
  permit.still_granted = [] { return Result<void>(); };
  permit.server_dry_run = server_dry_run;
  return kube::Writer(*session, permit);
}

bool eventually(const std::function<bool()>& condition, Seconds limit) {
  Clock& clock = backend().session->clock();
  const Milliseconds end = clock.steady() + limit;
  while (!condition()) {
    if (clock.steady() >= end || !clock.sleep(Milliseconds(250)).ok()) return false;
  }
  return true;
}

std::string fresh_name(const std::string& stem) {
  static int number = 0;
  return fmt::format("{}-{}", stem, ++number);
}

Value config_map(const std::string& name, const std::string& value) {
  Value object = Value::object({{"apiVersion", "v1"}, {"kind", "ConfigMap"}});
  object.set_at("/metadata/name", name);
  object.set_at("/data/value", value);
  return object;
}

Value claim(const std::string& name, const std::string& storage_class) {
  Value object = Value::object({{"apiVersion", "v1"}, {"kind", "PersistentVolumeClaim"}});
  object.set_at("/metadata/name", name);
  object.set_at("/spec/accessModes", Value::array({"ReadWriteOnce"}));
  object.set_at("/spec/resources/requests/storage", "1Gi");
  object.set_at("/spec/storageClassName", storage_class);
  return object;
}

}  // namespace truenas::contract
