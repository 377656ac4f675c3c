#pragma once
// What the contract suite runs on: a fake cluster, or a real API server. The suite speaks only through Reader
// and Writer, so that both must answer alike.

#include <functional>
#include <string>
#include <vector>

#include "lib/kube/reader.h"
#include "lib/kube/writer.h"

namespace truenas::contract {

struct Backend {
  kube::Session* session = nullptr;
  std::string ns;  // of the suite alone; gone afterwards
  bool real = false;
  kube::Reader reader() const { return kube::Reader(*session); }
  kube::Writer writer(bool server_dry_run = false) const;
};

// The program's backend; made at first use. Each program links one of fake_backend.cc and real_backend.cc.
const Backend& backend();
// Removes what the suite made. Called by main.
void close_backend();

// Polls until `condition` holds; false after `limit`.
bool eventually(const std::function<bool()>& condition, Seconds limit = Seconds(60));
// A name that no other test of this run uses.
std::string fresh_name(const std::string& stem);
json::Value config_map(const std::string& name, const std::string& value = "1");
json::Value claim(const std::string& name, const std::string& storage_class);

}  // namespace truenas::contract
