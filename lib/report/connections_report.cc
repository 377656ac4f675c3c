#include <fmt/format.h>

#include "lib/base/text.h"
#include "lib/report/postgres_report.h"

namespace truenas::report {

ConnectionComparison compare_connections(const Result<cnpg::ConnectionFacts>& before,
                                         const Result<cnpg::ConnectionFacts>& after) {
  ConnectionComparison comparison;
  if (!before.ok() || !after.ok()) {
    comparison.unknown_why = (before.ok() ? after : before).error().what;
    return comparison;
  }
  comparison.changes = cnpg::changed_connections(*before, *after);
  if (!before->secret_uid.empty()) comparison.compared.push_back("secret " + before->secret_name);
  for (const auto& [name, facts] : before->services) comparison.compared.push_back("service " + name);
  return comparison;
}

std::string render_connections(const ConnectionComparison& comparison) {
  if (!comparison.unknown_why.empty()) {
    return fmt::format("\nconnections: not compared: {}\n", printable(comparison.unknown_why));
  }
  if (comparison.changes.empty()) {
    return fmt::format("\nconnections: {} unchanged\n", printable(join(comparison.compared, ", ")));
  }
  return fmt::format("\nconnections: CHANGED: {}\n", printable(join(comparison.changes, "; ")));
}

json::Value connections_document(const ConnectionComparison& comparison) {
  json::Value changes = json::Value::array(), compared = json::Value::array();
  for (const std::string& line : comparison.changes) changes.push_back(line);
  for (const std::string& line : comparison.compared) compared.push_back(line);
  return json::Value::object({{"unchanged", comparison.unknown_why.empty() && comparison.changes.empty()},
                              {"compared", std::move(compared)},
                              {"changes", std::move(changes)},
                              {"unknownWhy", comparison.unknown_why}});
}

}  // namespace truenas::report
