#include "lib/cnpg/fingerprint.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "lib/base/text.h"

namespace truenas::cnpg {
namespace {

using json::Value;
using Type = FingerprintDifference::Type;

constexpr std::size_t k_shown = 60;  // characters of a property's value

Error malformed(std::string_view source, std::size_t line, std::string_view why) {
  return make_error(Kind::format, fmt::format("fingerprint {}: line {}: {}", source, line, why));
}

bool is_data(const std::string& kind) {
  static const std::set<std::string> kinds = {
      "rows",           "partition rows",    "rows of all partitions", "matview rows",
      "sequence value", "large object data", "largeobject_metadata"};
  return kinds.contains(kind);
}

// Hashes of secrets are none, but they are nobody's business either.
bool is_shown(const std::string& property) {
  static const std::set<std::string> hidden = {"password", "connection", "umoptions"};
  return !hidden.contains(property);
}

std::string shown(const Value* value) {
  if (value == nullptr || value->is_null()) return "nothing";
  std::string text = value->is_string() ? value->text() : json::write(*value);
  if (text.size() > k_shown) text = text.substr(0, k_shown) + "…";
  return text;
}

std::string change_of(const Value& before, const Value& after) {
  std::set<std::string> names;
  for (const Value* side : {&before, &after}) {
    for (const auto& [name, value] : side->members()) names.insert(name);
  }
  std::vector<std::string> parts;
  for (const std::string& name : names) {
    const Value* old_value = before.find(name);
    const Value* new_value = after.find(name);
    if (old_value != nullptr && new_value != nullptr && *old_value == *new_value) continue;
    parts.push_back(is_shown(name) ? fmt::format("{} {} -> {}", name, shown(old_value), shown(new_value))
                                   : name + " differs");
  }
  return join(parts, ", ");
}

FingerprintDifference difference(Type type, const ObjectName& object, std::string what) {
  return {type, object, std::move(what), is_data(object.kind), 0};
}

// An extension's members come and go with its version; a relation's columns and types with the relation.
bool comes_with(const FingerprintDifference& minor, const Value& members,
                const FingerprintDifference& major) {
  if (minor.data) return false;
  const std::string& name = major.object.name;
  if (major.object.kind == "extension") {
    return minor.object.kind == "extension member" && members.text_at("/extension") == name;
  }
  if (major.object.kind != "class" || major.type != minor.type || major.type == Type::changed) return false;
  const ObjectName& object = minor.object;
  if (object.kind == "attribute") return object.name.starts_with(name + ".");
  if (object.kind == "type") return object.name == name || object.name == name + "[]";
  if (object.kind == "index" || object.kind == "sequence") return object.name == name;
  if (object.kind == "constraint" || object.kind == "trigger" || object.kind == "rewrite" ||
      object.kind == "policy")
    return object.name.ends_with(" on " + name);
  return object.kind == "attrdef" && object.name.starts_with("for " + name + ".");
}

bool is_major(const FingerprintDifference& one) {
  return one.object.kind == "extension" || one.object.kind == "class";
}

// Removes what comes with a greater difference, and counts it there.
std::vector<FingerprintDifference> fold(std::vector<FingerprintDifference> all, const Fingerprint& before,
                                        const Fingerprint& after) {
  std::vector<FingerprintDifference*> majors;
  for (FingerprintDifference& one : all) {
    if (is_major(one)) majors.push_back(&one);
  }
  std::vector<FingerprintDifference> rest;
  for (FingerprintDifference& one : all) {
    const auto& side = one.type == Type::gained ? after : before;
    const Value& members = side.at(one.object);
    const auto major =
        is_major(one) ? majors.end() : std::find_if(majors.begin(), majors.end(), [&](const auto* m) {
          return comes_with(one, members, *m);
        });
    if (major != majors.end()) {
      ++(*major)->follow;
      one.object.kind.clear();
    }
  }
  for (FingerprintDifference& one : all) {
    if (!one.object.kind.empty()) rest.push_back(std::move(one));
  }
  return rest;
}

}  // namespace

Result<Fingerprint> parse_fingerprint(std::string_view text, std::string_view source) {
  Fingerprint fingerprint;
  std::size_t number = 0;
  bool complete = false;
  for (const std::string& line : split(text, '\n')) {
    ++number;
    if (line.empty()) continue;
    if (complete) return malformed(source, number, "something follows its end");
    TM_TRY_ASSIGN(const Value row, json::parse(line, fmt::format("fingerprint {}: line {}", source, number)));
    const Value::Array& parts = row.items();
    if (parts.size() != 3 || !parts[0].is_string() || !parts[1].is_string() || !parts[2].is_object())
      return malformed(source, number, "expected [kind, name, {properties}]");
    if (parts[0].text() == "end") {
      complete = true;
      continue;
    }
    if (!fingerprint.emplace(ObjectName{parts[0].text(), parts[1].text()}, parts[2]).second)
      return malformed(source, number, fmt::format("{} {} twice", parts[0].text(), parts[1].text()));
  }
  if (!complete) return malformed(source, number, "it ends before its end: psql stopped, or it was cut");
  return fingerprint;
}

std::vector<FingerprintDifference> compare_fingerprints(const Fingerprint& before, const Fingerprint& after) {
  std::vector<FingerprintDifference> all;
  for (const auto& [object, properties] : before) {
    const auto other = after.find(object);
    if (other == after.end()) {
      all.push_back(
          difference(Type::lost, object, is_data(object.kind) ? change_of(properties, Value::object()) : ""));
    } else if (std::string what = change_of(properties, other->second); !what.empty()) {
      all.push_back(difference(Type::changed, object, std::move(what)));
    }
  }
  for (const auto& [object, properties] : after) {
    if (!before.contains(object)) all.push_back(difference(Type::gained, object, ""));
  }
  all = fold(std::move(all), before, after);
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.data > b.data; });
  return all;
}

std::string describe(const FingerprintDifference& difference) {
  const char* type = difference.type == Type::lost     ? "lost"
                     : difference.type == Type::gained ? "gained"
                                                       : "changed";
  std::string text = fmt::format("{}: {} {}", type, difference.object.kind, difference.object.name);
  if (!difference.what.empty()) text += ": " + difference.what;
  if (difference.follow > 0) text += fmt::format(", and {} of it", count_of(difference.follow, "part"));
  return printable(text);
}

}  // namespace truenas::cnpg
