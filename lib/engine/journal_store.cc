#include "lib/engine/journal_store.h"

#include <fmt/format.h>

#include "lib/base/text.h"

namespace truenas::engine {
namespace {

constexpr int k_attempts = 8;
constexpr std::size_t k_parts = 100;  // 50 MiB: no migration writes so much

}  // namespace

Result<Journal> JournalStore::read() {
  std::vector<json::Value> objects;
  while (objects.size() < k_parts) {
    if (whole_ && !objects.empty() && objects.size() == journal_.parts().size()) break;
    const std::string name = journal_part_name(address_.name(), objects.size() + 1);
    TM_TRY_ASSIGN(auto found, reader_.find(kube::k_config_map, address_.ns, name));
    if (!found) break;
    objects.push_back(std::move(*found));
  }
  whole_ = false;
  TM_TRY_ASSIGN(journal_, Journal::parse(journal_.binding(), objects));
  known_ = true;
  whole_ = wrote_;
  return journal_;
}

Result<void> JournalStore::set_facts(kube::Writer& writer, const std::map<std::string, std::string>& facts) {
  return update(writer, [&](Journal& journal) -> Result<void> {
    for (const auto& [name, value] : facts) TM_TRY(journal.set_fact(name, value));
    return {};
  });
}

Result<void> JournalStore::append(kube::Writer& writer, const LogEntry& entry) {
  return update(writer, [&](Journal& journal) -> Result<void> {
    journal.append(entry);
    return {};
  });
}

// `change` must be one that may be made again on top of itself.
Result<void> JournalStore::update(kube::Writer& writer, const std::function<Result<void>(Journal&)>& change) {
  Result<void> written;
  for (int attempt = 0; attempt < k_attempts; ++attempt) {
    if (!known_) TM_TRY(read());
    Journal wanted = journal_;
    TM_TRY(change(wanted));
    written = write(writer, wanted);
    wrote_ = written.ok();
    if (written.ok()) return written;
    known_ = whole_ = false;
    const Kind kind = written.error().kind;
    if (kind != Kind::conflict && kind != Kind::not_found && kind != Kind::outcome_unknown) return written;
    if (attempt > 0) TM_TRY(clock_->sleep(Milliseconds(50) * attempt));
  }
  // Each attempt lost against another writer: nothing of this change is known to be written.
  Error error = written.error();
  if (error.kind == Kind::conflict) error.kind = Kind::unavailable;
  return error.in(fmt::format("writing journal {}/{} {} times", address_.ns, address_.name(), k_attempts));
}

Result<void> JournalStore::write(kube::Writer& writer, const Journal& wanted) {
  for (std::size_t i = 0; i < wanted.parts().size(); ++i) {
    const JournalPart& part = wanted.parts()[i];
    const std::string name = journal_part_name(address_.name(), i + 1);
    const bool exists = i < journal_.parts().size();
    json::Value patch = exists ? journal_patch(journal_.parts()[i], part) : json::Value();
    if (exists && patch.is_null()) continue;
    Result<json::Value> reply =
        exists ? writer.patch(kube::k_config_map, address_.ns, name, kube::PatchKind::merge, patch)
               : writer.create(kube::k_config_map, address_.ns,
                               to_config_map(part, address_.ns, address_.name(), i + 1));
    if (!reply.ok()) return std::move(reply).take_error();
    const kube::Identity identity = kube::identity_of(*reply);
    JournalPart kept = part;
    kept.uid = identity.uid;
    kept.resource_version = identity.resource_version;
    if (exists) {
      journal_.parts()[i] = std::move(kept);
    } else {
      journal_.parts().push_back(std::move(kept));
    }
  }
  return {};
}

Result<void> JournalStore::remove(kube::Writer& writer) {
  forget();
  TM_TRY(read());
  for (std::size_t i = journal_.parts().size(); i-- > 0;) {
    kube::DeleteOptions options;
    options.uid = journal_.parts()[i].uid;
    known_ = false;
    TM_TRY(
        writer.remove(kube::k_config_map, address_.ns, journal_part_name(address_.name(), i + 1), options));
  }
  return {};
}

Result<void> JournalLog::note_intent(const Step& step) {
  return note(step, "intent", "");
}

Result<void> JournalLog::note_done(const Step& step, std::string_view outcome) {
  return note(step, "done", outcome);
}

Result<void> JournalLog::note(const Step& step, std::string phase, std::string_view outcome) {
  LogEntry entry;
  entry.time = format_micro_time(store_->clock().wall());
  entry.run = run_;
  entry.step = step.id;
  entry.phase = std::move(phase);
  entry.outcome = printable(outcome);
  return store_->append(*writer_, entry);
}

}  // namespace truenas::engine
