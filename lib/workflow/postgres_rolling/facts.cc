#include "lib/workflow/postgres_rolling/facts.h"

#include <fmt/format.h>

#include "lib/base/number.h"
#include "lib/base/text.h"
#include "lib/json/view.h"

namespace truenas::workflow {
namespace {

using Facts = std::map<std::string, std::string>;

const std::string* find(const Facts& facts, const std::string& key) {
  const auto found = facts.find(key);
  return found == facts.end() ? nullptr : &found->second;
}

// The N of "run-N.begin", 0 for any other key.
int number_of(const std::string& key) {
  if (!key.starts_with("run-") || !key.ends_with(".begin")) return 0;
  return leading_number(key.substr(4));
}

Result<std::vector<std::string>> strings(const json::View& view, std::string_view pointer) {
  std::vector<std::string> found;
  TM_TRY_ASSIGN(const std::vector<json::View> items, view.get_items(pointer));
  for (const json::View& item : items) {
    TM_TRY_ASSIGN(std::string text, item.get_string(""));
    found.push_back(std::move(text));
  }
  return found;
}

Result<MoveFacts> read_begin(const std::string& text, int number) {
  const std::string source = fmt::format("journal fact run-{}.begin", number);
  TM_TRY_ASSIGN(const json::Value document, json::parse(text, source));
  const json::View view(document, source);
  MoveFacts facts;
  facts.number = number;
  TM_TRY_ASSIGN(facts.cluster_uid, view.get_string("/clusterUid"));
  TM_TRY_ASSIGN(facts.from_class, view.get_string("/fromClass"));
  TM_TRY_ASSIGN(facts.to_class, view.get_string("/toClass"));
  TM_TRY_ASSIGN(const std::int64_t instances, view.get_integer("/instances"));
  facts.instances = static_cast<int>(instances);
  TM_TRY_ASSIGN(facts.settings, strings(view, "/settings"));
  TM_TRY_ASSIGN(facts.connections, view.find_string("/connections"));
  if (document.find("spare") != nullptr) {
    TM_TRY_ASSIGN(const std::int64_t spare, view.get_integer("/spare"));
    facts.spare = static_cast<int>(spare);
  }
  return facts;
}

Result<void> read_proofs(const Facts& all, MoveFacts& facts) {
  while (const std::string* text =
             find(all, fmt::format("run-{}.proof-{}", facts.number, facts.proofs + 1))) {
    ++facts.proofs;
    const std::string source = fmt::format("journal fact run-{}.proof-{}", facts.number, facts.proofs);
    TM_TRY_ASSIGN(const json::Value document, json::parse(*text, source));
    const json::View view(document, source);
    TM_TRY_ASSIGN(facts.proof, view.get_string("/summary"));
    TM_TRY_ASSIGN(const std::vector<std::string> volumes, strings(view, "/volumes"));
    facts.proof_volumes = {volumes.begin(), volumes.end()};
  }
  return {};
}

// A run that found every instance moved already has replaced nothing: what an earlier run to the same class
// proved of these very volumes still holds, and a single instance could not be compared again.
Result<void> inherit_proof(const Facts& all, MoveFacts& facts) {
  for (int number = facts.number - 1; number > 0 && facts.proof.empty(); --number) {
    const std::string* begin = find(all, fmt::format("run-{}.begin", number));
    if (begin == nullptr) continue;
    TM_TRY_ASSIGN(MoveFacts earlier, read_begin(*begin, number));
    if (earlier.cluster_uid != facts.cluster_uid || earlier.to_class != facts.to_class) continue;
    TM_TRY(read_proofs(all, earlier));
    facts.proof = std::move(earlier.proof);
    facts.proof_volumes = std::move(earlier.proof_volumes);
  }
  return {};
}

json::Value list_of(const std::vector<std::string>& texts) {
  json::Value list = json::Value::array();
  for (const std::string& text : texts) list.push_back(text);
  return list;
}

}  // namespace

Result<MoveFacts> read_facts(const Facts& all) {
  int number = 0;
  for (const auto& [key, value] : all) number = std::max(number, number_of(key));
  if (number == 0) return MoveFacts{};
  TM_TRY_ASSIGN(MoveFacts facts, read_begin(all.at(fmt::format("run-{}.begin", number)), number));
  if (const std::string* spare = find(all, fmt::format("run-{}.spare", number))) {
    facts.spare = leading_number(*spare);
    if (*facts.spare < 1) {
      return make_error(Kind::format,
                        fmt::format("journal fact run-{}.spare is no count: {}", number, quote(*spare)));
    }
  }
  TM_TRY(read_proofs(all, facts));
  TM_TRY(inherit_proof(all, facts));
  facts.ended = find(all, fmt::format("run-{}.end", number)) != nullptr;
  return facts;
}

bool canary_is_noted(const Facts& facts, const std::string& fingerprint) {
  return find(facts, "canary-" + fingerprint) != nullptr;
}

std::string fact_value(const engine::Step& step) {
  if (!step.argument("key").ends_with(".begin")) return step.argument("value");
  json::Value document = json::Value::object({{"clusterUid", step.argument("cluster_uid")},
                                              {"fromClass", step.argument("from_class")},
                                              {"toClass", step.argument("to_class")},
                                              {"instances", leading_number(step.argument("instances"))},
                                              {"settings", list_of(split(step.argument("settings"), ','))}});
  if (step.arguments.contains("connections")) document.set("connections", step.argument("connections"));
  if (step.arguments.contains("spare")) document.set("spare", leading_number(step.argument("spare")));
  return json::write(document);
}

std::string proof_value(const std::string& summary, const PostgresWorld& world) {
  std::vector<std::string> volumes;
  for (const auto& claim : world.cluster.claims) volumes.push_back(claim.volume);
  return json::write(json::Value::object({{"summary", summary}, {"volumes", list_of(volumes)}}));
}

}  // namespace truenas::workflow
