#include "lib/kube/label_selector.h"

#include <doctest/doctest.h>

#include "tests/unit/yaml.h"

namespace truenas::kube {

TEST_CASE("selectors are matched as a server does") {
  const json::Value object = yaml("{metadata: {labels: {a: b, example.com/c: '', d: e}}}");
  for (const char* selector :
       {"", " ", "a=b", "a==b", "a = b", "a!=c", "x!=c", "a", "!x", "! x", "a in (b)", "a in (x, b)",
        "x notin (b)", "a notin (c,d)", "example.com/c=", "example.com/c", "a=b,d=e", "a in (b,c),d!=f,!x"}) {
    CAPTURE(selector);
    CHECK(matches_labels(selector, object) == true);
  }
  for (const char* selector : {"a=c", "a!=b", "x", "!a", "a in (c)", "a in ()", "x in (b)", "a notin (b)",
                               "x=", "a=b,d=f", "d in (x,y),a=b"}) {
    CAPTURE(selector);
    CHECK(matches_labels(selector, object) == false);
  }
  CHECK(matches_labels("a", yaml("{metadata: {name: x}}")) == false);
}

TEST_CASE("what is no selector is not guessed at") {
  const json::Value object = yaml("{metadata: {labels: {a: b}}}");
  for (const char* selector :
       {",", "a=b,", "=b", "a b", "a in b)", "a in (b", "in (b)", "a of (b)", "!", "a=b=c", "a>1"}) {
    CAPTURE(selector);
    CHECK_FALSE(matches_labels(selector, object));
  }
}

}  // namespace truenas::kube
