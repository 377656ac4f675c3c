#include "lib/engine/journal.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/text.h"

namespace truenas::engine {
namespace {

constexpr std::string_view k_fact = "fact.";
constexpr std::string_view k_log = "log.";

bool starts_with(std::string_view text, std::string_view start) {
  return text.substr(0, start.size()) == start;
}

bool is_key(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  };
  return !name.empty() && name.size() <= 200 && std::all_of(name.begin(), name.end(), allowed);
}

std::string log_key(std::size_t number) {
  return fmt::format("{}{:09}", k_log, number);
}

std::size_t last_log_number(const JournalPart& part) {
  const auto after = part.data.lower_bound("log/");  // '/' follows '.'
  if (after == part.data.begin()) return 0;
  const std::string& key = std::prev(after)->first;
  if (!starts_with(key, k_log)) return 0;
  return std::stoul(key.substr(k_log.size()));  // checked when it was read
}

std::string log_line(const LogEntry& entry) {
  return json::write(json::Value::object({{"time", entry.time},
                                          {"run", entry.run},
                                          {"step", entry.step},
                                          {"phase", entry.phase},
                                          {"outcome", entry.outcome}}));
}

LogEntry read_line(const std::string& line) {
  const Result<json::Value> parsed = json::parse(line, "log");
  if (!parsed.ok()) return {};  // checked when it was read
  return {parsed->text_at("/time"), parsed->text_at("/run"), parsed->text_at("/step"),
          parsed->text_at("/phase"), parsed->text_at("/outcome")};
}

std::string shortened(std::string text) {
  if (text.size() <= 500) return text;
  std::size_t end = 497;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0u) == 0x80u)
    --end;  // whole UTF-8 characters
  return text.substr(0, end) + "...";
}

}  // namespace

std::size_t JournalPart::bytes() const {
  std::size_t sum = 0;
  for (const auto& [key, value] : data) sum += key.size() + value.size();
  return sum;
}

std::string journal_name(std::string_view what, std::string_view target) {
  return cut_name(fmt::format("truenas-migrate-{}-{}", what, target));
}

std::string journal_part_name(std::string_view name, std::size_t number) {
  return number <= 1 ? std::string(name) : fmt::format("{}.part-{}", name, number);
}

std::map<std::string, std::string> Journal::facts() const {
  std::map<std::string, std::string> facts;
  for (const JournalPart& part : parts_) {
    for (const auto& [key, value] : part.data) {
      if (starts_with(key, k_fact)) facts.emplace(key.substr(k_fact.size()), value);
    }
  }
  return facts;
}

const std::string* Journal::find_fact(std::string_view name) const {
  const std::string key = std::string(k_fact) + std::string(name);
  for (const JournalPart& part : parts_) {
    if (const auto found = part.data.find(key); found != part.data.end()) return &found->second;
  }
  return nullptr;
}

Result<void> Journal::set_fact(std::string_view name, std::string_view value) {
  if (!is_key(name)) return make_error(Kind::bug, fmt::format("{} is no name for a fact", quote(name)));
  if (const std::string* known = find_fact(name)) {
    if (*known == value) return {};
    return make_error(
        Kind::conflict,
        fmt::format("the journal of {} has {} as {} already and will not change it to {}", binding_.target,
                    name, quote(shortened(*known)), quote(shortened(std::string(value)))));
  }
  if (value.size() > k_journal_value_bytes) {
    return make_error(Kind::refused, fmt::format("{} has {} bytes, more than a journal can hold ({})", name,
                                                 value.size(), k_journal_value_bytes));
  }
  const std::string key = std::string(k_fact) + std::string(name);
  part_with_room(key.size() + value.size()).data.emplace(key, value);
  return {};
}

std::vector<LogEntry> Journal::log() const {
  std::vector<LogEntry> entries;
  for (const JournalPart& part : parts_) {
    for (const auto& [key, value] : part.data) {
      if (starts_with(key, k_log)) entries.push_back(read_line(value));
    }
  }
  return entries;
}

void Journal::append(LogEntry entry) {
  entry.outcome = shortened(std::move(entry.outcome));
  const std::string line = log_line(entry);
  for (const JournalPart& part : parts_) {
    for (const auto& [key, value] : part.data) {
      if (starts_with(key, k_log) && value == line) return;
    }
  }
  std::size_t number = 1;
  for (const JournalPart& part : parts_) number = std::max(number, last_log_number(part) + 1);
  JournalPart& part = part_with_room(line.size() + 16);
  part.data.emplace(log_key(number), line);
  const auto first = part.data.lower_bound(std::string(k_log));
  if (last_log_number(part) >= std::stoul(first->first.substr(k_log.size())) + k_journal_log_entries) {
    part.data.erase(first);
  }
}

JournalPart& Journal::part_with_room(std::size_t bytes) {
  if (parts_.empty() || parts_.back().bytes() + bytes > k_journal_part_bytes) {
    JournalPart part;
    part.data = {{"version", std::to_string(k_journal_version)},
                 {"part", std::to_string(parts_.size() + 1)},
                 {"cluster-uid", binding_.cluster_uid},
                 {"target", binding_.target},
                 {"target-uid", binding_.target_uid}};
    parts_.push_back(std::move(part));
  }
  return parts_.back();
}

json::Value to_config_map(const JournalPart& part, std::string_view ns, std::string_view name,
                          std::size_t number) {
  json::Value data = json::Value::object();
  for (const auto& [key, value] : part.data) data.set(key, value);
  json::Value labels = json::Value::object(
      {{"app.kubernetes.io/managed-by", "kubectl-truenas-migrate"}, {"app.kubernetes.io/name", name}});
  return json::Value::object(
      {{"apiVersion", "v1"},
       {"kind", "ConfigMap"},
       {"metadata", json::Value::object(
                        {{"name", journal_part_name(name, number)}, {"namespace", ns}, {"labels", labels}})},
       {"data", data}});
}

json::Value journal_patch(const JournalPart& before, const JournalPart& after) {
  json::Value data = json::Value::object();
  for (const auto& [key, value] : after.data) {
    const auto known = before.data.find(key);
    if (known == before.data.end() || known->second != value) data.set(key, value);
  }
  for (const auto& [key, value] : before.data) {
    if (after.data.find(key) == after.data.end()) data.set(key, json::Value());
  }
  if (data.members().empty()) return {};
  return json::Value::object(
      {{"metadata", json::Value::object({{"resourceVersion", before.resource_version}})}, {"data", data}});
}

}  // namespace truenas::engine
