#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "lib/base/text.h"
#include "lib/json/view.h"
#include "lib/workflow/class_probe.h"
#include "lib/workflow/class_record.h"

namespace truenas::workflow {
namespace {

constexpr std::string_view k_prefix = "probe-";

// The N that `verdict` ends with after `before`: of "all_squash(1000:1000)" and "private to uid 26".
std::optional<std::int64_t> uid_after(std::string_view verdict, std::string_view before) {
  if (!verdict.starts_with(before)) return std::nullopt;
  verdict.remove_prefix(before.size());
  std::int64_t uid = 0;
  const auto [end, problem] = std::from_chars(verdict.data(), verdict.data() + verdict.size(), uid);
  if (problem != std::errc{}) return std::nullopt;
  return uid;
}

Result<ClassRecord> read_record(const std::string& key, const std::string& value) {
  const std::string source = "journal fact " + key;
  TM_TRY_ASSIGN(const json::Value document, json::parse(value, source));
  const json::View view(document, source);
  ClassRecord record;
  TM_TRY_ASSIGN(record.time, view.get_string("/time"));
  TM_TRY_ASSIGN(record.class_uid, view.get_string("/classUid"));
  TM_TRY_ASSIGN(record.verdict, view.get_string("/verdict"));
  TM_TRY_ASSIGN(record.directory_owner, view.find_string("/directoryOwner"));
  TM_TRY_ASSIGN(record.directory_mode, view.find_string("/directoryMode"));
  TM_TRY_ASSIGN(record.copy_by_server, view.find_string("/copyByServer"));
  return record;
}

Result<std::optional<ClassRecord>> read_newest(const kube::Reader& reader, const std::string& ns,
                                               const std::string& name, const std::string& class_uid,
                                               Clock& clock) {
  TM_TRY_ASSIGN(engine::JournalStore store, open_class_journal(reader, ns, name, clock));
  TM_TRY_ASSIGN(const engine::Journal journal, store.read());
  return newest_record(journal.facts(), class_uid);
}

}  // namespace

std::string ClassRecord::text() const {
  const std::size_t fraction = time.find('.');
  return fmt::format("{}, probed {}", verdict,
                     fraction == std::string::npos ? time : time.substr(0, fraction) + "Z");
}

bool ClassRecord::squashes_root() const {
  return verdict == "root_squash" || verdict.starts_with("private to ");
}

std::optional<std::string> ClassRecord::why_not_owner(std::int64_t uid) const {
  if (verdict == "all_squash(root)") {
    return uid == 0 ? std::nullopt : std::optional<std::string>("gives every file to root");
  }
  if (const auto everybody = uid_after(verdict, "all_squash("); everybody && *everybody != uid) {
    return fmt::format("gives every file to uid {}", *everybody);
  }
  if (const auto one = uid_after(verdict, "private to uid "); one && *one != uid) {
    return fmt::format("lets only uid {} write", *one);
  }
  return std::nullopt;
}

Result<engine::JournalStore> open_class_journal(const kube::Reader& reader, const std::string& ns,
                                                const std::string& name, Clock& clock) {
  TM_TRY_ASSIGN(std::string cluster_uid, reader.cluster_uid());
  return engine::JournalStore(reader, {ns, "storageclass", name},
                              {std::move(cluster_uid), "storageclass " + name, ""}, clock);
}

std::string record_key(const ClassRecord& record) {
  std::string key = std::string(k_prefix) + record.time;
  std::replace(key.begin(), key.end(), ':', '-');
  return key;
}

std::string record_value(const ClassRecord& record) {
  return json::write(json::Value::object({{"time", record.time},
                                          {"classUid", record.class_uid},
                                          {"verdict", record.verdict},
                                          {"directoryOwner", record.directory_owner},
                                          {"directoryMode", record.directory_mode},
                                          {"copyByServer", record.copy_by_server}}));
}

Result<std::optional<ClassRecord>> newest_record(const std::map<std::string, std::string>& facts,
                                                 const std::string& class_uid) {
  for (auto fact = facts.rbegin(); fact != facts.rend(); ++fact) {
    if (!fact->first.starts_with(k_prefix)) continue;
    TM_TRY_ASSIGN(ClassRecord record, read_record(fact->first, fact->second));
    if (record.class_uid == class_uid) return std::optional<ClassRecord>(std::move(record));
  }
  return std::optional<ClassRecord>();
}

RecordedProbe read_recorded_probe(const kube::Reader& reader, const std::string& ns, const std::string& name,
                                  const std::string& class_uid, Clock& clock) {
  const auto newest = read_newest(reader, ns, name, class_uid, clock);
  if (newest.ok()) return {*newest, ""};
  return {std::nullopt, newest.error().what};
}

Result<void> write_class_record(const kube::Reader& reader, kube::Writer& writer, const std::string& ns,
                                const ClassFinding& finding, Clock& clock) {
  ClassRecord record;
  record.time = format_micro_time(clock.wall());
  record.class_uid = finding.storage_class_uid;
  record.verdict = finding.verdict;
  record.directory_owner = finding.fact("directory_owner");
  record.directory_mode = finding.fact("directory_mode");
  record.copy_by_server = finding.fact("copy_by_server");
  TM_TRY_ASSIGN(engine::JournalStore journal, open_class_journal(reader, ns, finding.storage_class, clock));
  return journal.set_facts(writer, {{record_key(record), record_value(record)}});
}

}  // namespace truenas::workflow
