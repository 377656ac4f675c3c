#include <doctest/doctest.h>

#include <set>

#include "tests/contract/backend.h"

using namespace truenas;
using namespace truenas::contract;
using json::Value;
using kube::k_config_map;
using kube::PatchKind;

namespace {

void create_labelled(const std::string& name, const std::string& group, const std::string& tier) {
  Value object = config_map(name);
  object.set_at("/metadata/labels/group", group);
  if (!tier.empty()) object.set_at("/metadata/labels/tier", tier);
  REQUIRE(backend().writer().create(k_config_map, backend().ns, object).ok());
}

std::set<std::string> names(const kube::ListOptions& options) {
  const auto items = backend().reader().list(k_config_map, backend().ns, options);
  REQUIRE(items.ok());
  std::set<std::string> found;
  for (const Value& item : *items) {
    CHECK(item.text_at("/kind") == "ConfigMap");
    CHECK(item.text_at("/apiVersion") == "v1");
    CHECK(found.insert(item.text_at("/metadata/name")).second);
  }
  return found;
}

std::set<std::string> selected(const std::string& labels, const std::string& fields = "") {
  kube::ListOptions options;
  options.label_selector = labels;
  options.field_selector = fields;
  return names(options);
}

}  // namespace

TEST_CASE("a list comes whole, page by page") {
  const std::string group = fresh_name("pages");
  std::set<std::string> expected;
  for (int i = 0; i < 7; ++i) {
    expected.insert(fresh_name("page"));
  }
  for (const std::string& name : expected) create_labelled(name, group, "");
  for (const int limit : {1, 3, 7, 500}) {
    kube::ListOptions options;
    options.label_selector = "group=" + group;
    options.limit = limit;
    CHECK(names(options) == expected);
  }
}

TEST_CASE("selectors") {
  const std::string group = fresh_name("chosen");
  const std::string a = fresh_name("a"), b = fresh_name("b"), c = fresh_name("c");
  create_labelled(a, group, "one");
  create_labelled(b, group, "two");
  create_labelled(c, group, "");
  const std::string in_group = "group=" + group;
  CHECK(selected(in_group + ",tier=one") == std::set<std::string>{a});
  CHECK(selected(in_group + ",tier!=one") == std::set<std::string>{b, c});
  CHECK(selected(in_group + ",tier in (one, two)") == std::set<std::string>{a, b});
  CHECK(selected(in_group + ",tier notin (one)") == std::set<std::string>{b, c});
  CHECK(selected(in_group + ",tier") == std::set<std::string>{a, b});
  CHECK(selected(in_group + ",!tier") == std::set<std::string>{c});
  CHECK(selected(in_group, "metadata.name=" + b) == std::set<std::string>{b});
  CHECK(selected(in_group, "metadata.name!=" + b) == std::set<std::string>{a, c});
  kube::ListOptions bad;
  bad.label_selector = "a b c (";
  const auto refused = backend().reader().list(k_config_map, backend().ns, bad);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().kind == Kind::refused);
}

TEST_CASE("a watch tells every change after the list, in order") {
  const std::string group = fresh_name("watched");
  const std::string name = fresh_name("seen");
  kube::ListOptions options;
  options.label_selector = "group=" + group;
  std::string version;
  {
    const auto listed = backend().reader().list(k_config_map, backend().ns, options,
                                                {[](Value) -> Result<void> { return {}; }, [] {}});
    REQUIRE(listed.ok());
    version = *listed;
  }
  create_labelled(name, group, "");
  Value patch = Value::object();
  patch.set_at("/data/value", "2");
  REQUIRE(backend().writer().patch(k_config_map, backend().ns, name, PatchKind::merge, patch).ok());
  kube::DeleteOptions remove;
  remove.uid = backend().reader().get(k_config_map, backend().ns, name).value().text_at("/metadata/uid");
  REQUIRE(backend().writer().remove(k_config_map, backend().ns, name, remove).ok());
  std::vector<kube::WatchEvent::Type> seen;
  const auto watched = backend().reader().watch(k_config_map, backend().ns, options, version, Seconds(20),
                                                [&](const kube::WatchEvent& event) -> Result<bool> {
                                                  if (event.type == kube::WatchEvent::Type::bookmark)
                                                    return true;
                                                  CHECK(event.object.text_at("/metadata/name") == name);
                                                  CHECK(event.object.text_at("/metadata/uid") == remove.uid);
                                                  seen.push_back(event.type);
                                                  return event.type != kube::WatchEvent::Type::deleted;
                                                });
  REQUIRE(watched.ok());
  using Type = kube::WatchEvent::Type;
  CHECK(seen == std::vector<Type>{Type::added, Type::modified, Type::deleted});
}
