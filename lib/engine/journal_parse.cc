#include <fmt/format.h>

#include <charconv>

#include "lib/base/text.h"
#include "lib/engine/journal.h"
#include "lib/json/view.h"
#include "lib/kube/resource.h"

namespace truenas::engine {
namespace {

std::string journal_at(const json::Value& object) {
  return "journal " + kube::describe(object);
}

Error another(const json::Value& object, std::string_view of_what, const std::string& theirs,
              const std::string& ours) {
  return make_error(Kind::refused,
                    fmt::format("{} belongs to another {}: it says {}, this is {}", journal_at(object),
                                of_what, quote(theirs), quote(ours)),
                    {"if it is left over from something that is gone, keep a copy of it and delete it"});
}

Result<std::string> demanded(const JournalPart& part, const json::Value& object, const std::string& key) {
  const auto found = part.data.find(key);
  if (found != part.data.end()) return found->second;
  return make_error(Kind::format,
                    fmt::format("{}: /data/{}: expected string, found nothing; it is no journal "
                                "of this program",
                                journal_at(object), key));
}

Result<int> number_in(const std::string& text, const json::Value& object, const std::string& key) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size() && number > 0) return number;
  return make_error(Kind::format, fmt::format("{}: /data/{}: expected a number above 0, found {}",
                                              journal_at(object), key, quote(text)));
}

Result<void> check_log(const JournalPart& part, const json::Value& object) {
  for (const auto& [key, value] : part.data) {
    if (key.rfind("log.", 0) != 0) continue;
    const std::string place = fmt::format("{}: /data/{}", journal_at(object), key);
    if (key.size() != 13 || key.find_first_not_of("0123456789", 4) != std::string::npos) {
      return make_error(Kind::format, place + ": expected log. and nine digits");
    }
    TM_TRY_ASSIGN(const json::Value line, json::parse(value, place));
    if (!line.is_object()) return make_error(Kind::format, place + ": expected an object");
  }
  return {};
}

Result<void> check_binding(JournalBinding& binding, const JournalPart& part, const json::Value& object,
                           std::size_t number) {
  TM_TRY_ASSIGN(const std::string version_text, demanded(part, object, "version"));
  TM_TRY_ASSIGN(const int version, number_in(version_text, object, "version"));
  if (version > k_journal_version) {
    return make_error(Kind::refused,
                      fmt::format("{} was written in version {} of its format, this program knows up to {}",
                                  journal_at(object), version, k_journal_version),
                      {"use the newer kubectl-truenas-migrate that began this migration"});
  }
  TM_TRY_ASSIGN(const std::string cluster, demanded(part, object, "cluster-uid"));
  if (cluster != binding.cluster_uid)
    return another(object, "Kubernetes cluster", cluster, binding.cluster_uid);
  TM_TRY_ASSIGN(const std::string target, demanded(part, object, "target"));
  if (target != binding.target) return another(object, "target", target, binding.target);
  TM_TRY_ASSIGN(const std::string target_uid, demanded(part, object, "target-uid"));
  if (binding.target_uid.empty()) binding.target_uid = target_uid;
  if (target_uid != binding.target_uid) {
    return another(object, binding.target + " (same name, another uid)", target_uid, binding.target_uid);
  }
  TM_TRY_ASSIGN(const std::string part_text, demanded(part, object, "part"));
  if (part_text != std::to_string(number)) {
    return make_error(Kind::format, fmt::format("{}: /data/part: expected \"{}\", found {}",
                                                journal_at(object), number, quote(part_text)));
  }
  return {};
}

}  // namespace

Result<Journal> Journal::parse(JournalBinding binding, const std::vector<json::Value>& config_maps) {
  Journal journal(std::move(binding));
  std::map<std::string, std::string> facts;
  for (const json::Value& object : config_maps) {
    JournalPart part;
    const json::View view(object, journal_at(object));
    TM_TRY_ASSIGN(const auto data, view.find_strings("/data"));
    part.data.insert(data.begin(), data.end());
    const kube::Identity identity = kube::identity_of(object);
    part.uid = identity.uid;
    part.resource_version = identity.resource_version;
    TM_TRY(check_binding(journal.binding_, part, object, journal.parts_.size() + 1));
    TM_TRY(check_log(part, object));
    for (const auto& [key, value] : part.data) {
      if (key.rfind("fact.", 0) != 0) continue;
      const auto [known, fresh] = facts.emplace(key, value);
      if (!fresh && known->second != value) {
        return make_error(Kind::format,
                          fmt::format("{}: {} is {} here and {} in an earlier part", journal_at(object), key,
                                      quote(value), quote(known->second)));
      }
    }
    journal.parts_.push_back(std::move(part));
  }
  return journal;
}

}  // namespace truenas::engine
