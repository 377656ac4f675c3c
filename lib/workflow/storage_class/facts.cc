#include "lib/workflow/storage_class/facts.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "lib/base/text.h"
#include "lib/json/view.h"
#include "lib/workflow/storage_class/queries.h"

namespace truenas::workflow {
namespace {

// The N of "run-N.begin", 0 for any other key.
int number_of(const std::string& key) {
  if (!key.starts_with("run-") || !key.ends_with(".begin")) return 0;
  int number = 0;
  std::from_chars(key.data() + 4, key.data() + key.size(), number);
  return number;
}

Result<ClassRun::Way> way_of(const std::string& name, const std::string& source) {
  for (const ClassRun::Way way :
       {ClassRun::Way::create, ClassRun::Way::apply, ClassRun::Way::replace, ClassRun::Way::restore}) {
    if (way_name(way) == name) return way;
  }
  return make_error(Kind::format, fmt::format("{}: no such way: {}", source, quote(name)));
}

Result<ClassRun> read_begin(const std::string& text, int number) {
  const std::string source = "journal fact " + begin_key(number);
  TM_TRY_ASSIGN(const json::Value document, json::parse(text, source));
  const json::View view(document, source);
  ClassRun run;
  run.number = number;
  TM_TRY_ASSIGN(const std::string way, view.get_string("/way"));
  TM_TRY_ASSIGN(run.way, way_of(way, source));
  TM_TRY_ASSIGN(const std::int64_t undoes, view.find_integer("/undoes"));
  run.undoes = static_cast<int>(undoes);
  if (const json::Value* original = document.find("original")) run.original = *original;
  if (!run.original.is_null()) TM_TRY(storage::read_storage_class(run.original, source));
  const bool needs_original = run.way == ClassRun::Way::apply || run.way == ClassRun::Way::replace;
  if (needs_original && run.original.is_null()) {
    return make_error(Kind::format, fmt::format("{}: the original object is missing", source));
  }
  return run;
}

}  // namespace

std::string begin_key(int number) {
  return fmt::format("run-{}.begin", number);
}

std::string end_key(int number) {
  return fmt::format("run-{}.end", number);
}

Result<std::vector<ClassRun>> read_class_runs(const std::map<std::string, std::string>& facts) {
  std::vector<ClassRun> runs;
  for (const auto& [key, value] : facts) {
    const int number = number_of(key);
    if (number == 0) continue;
    TM_TRY_ASSIGN(ClassRun run, read_begin(value, number));
    const auto end = facts.find(end_key(number));
    run.ended = end != facts.end();
    run.abandoned = run.ended && end->second == k_run_abandoned;
    runs.push_back(std::move(run));
  }
  std::sort(runs.begin(), runs.end(),
            [](const ClassRun& a, const ClassRun& b) { return a.number < b.number; });
  return runs;
}

std::string begin_value(const ClassRun& run) {
  json::Value document = json::Value::object({{"way", way_name(run.way)}});
  if (run.undoes > 0) document.set("undoes", run.undoes);
  if (!run.original.is_null()) document.set("original", run.original);
  return json::write(document);
}

}  // namespace truenas::workflow
