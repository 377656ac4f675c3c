// Writes: the right object or none, once, and never without leave.

#include "tests/unit/kube/scripted_transport.h"

namespace truenas::kube {
namespace {

json::Value pod() {
  return *json::parse(R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","namespace":"ns"}})", "test");
}

DeleteOptions of_uid(std::string uid) {
  DeleteOptions options;
  options.uid = std::move(uid);
  return options;
}

std::string header(const http::Request& request, std::string_view name) {
  for (const auto& [key, value] : request.headers) {
    if (key == name) return value;
  }
  return "";
}

}  // namespace

TEST_CASE("nothing is deleted by name alone, and no collection ever") {
  Stage stage;
  Writer writer = stage.writer();
  CHECK(writer.remove(k_claim, "ns", "c", of_uid("")).error().kind == Kind::bug);
  CHECK(writer.remove(k_claim, "ns", "", of_uid("u")).error().kind == Kind::bug);
  CHECK(writer.remove(k_claim, "", "c", of_uid("u")).error().kind == Kind::usage);
  CHECK(stage.script.requests.empty());
}

TEST_CASE("a delete carries its preconditions in the body (D3)") {
  Stage stage;
  stage.answer(200, R"({"kind":"Status","status":"Success"})");
  DeleteOptions options = of_uid("u-9");
  options.resource_version = "77";
  options.grace_period_seconds = 0;
  options.propagation = "Foreground";
  REQUIRE(stage.writer().remove(k_claim, "ns", "c", options).ok());
  CHECK(stage.last().method == "DELETE");
  CHECK(stage.last().target == "/api/v1/namespaces/ns/persistentvolumeclaims/c");
  CHECK(header(stage.last(), "Content-Type") == "application/json");
  CHECK(*json::parse(stage.last().body, "body") ==
        *json::parse(R"({"kind":"DeleteOptions","apiVersion":"v1","propagationPolicy":"Foreground",
                         "preconditions":{"uid":"u-9","resourceVersion":"77"},"gracePeriodSeconds":0})",
                     "expected"));
}

TEST_CASE("dryRun of a delete is in the body, where alone the server looks (D2)") {
  Stage stage;
  stage.answer(200, pod_body("p"));
  REQUIRE(stage.writer(true).remove(k_pod, "ns", "p", of_uid("u-1")).ok());
  CHECK(json::write(*json::parse(stage.last().body, "body")->at("/dryRun")) == R"(["All"])");
}

TEST_CASE(
    "a delete of what is gone is done; of what is another's, a conflict; of what cannot be seen, unknown") {
  Stage stage;
  Writer writer = stage.writer();
  stage.answer(404, not_found_body("p"));
  CHECK(writer.remove(k_pod, "ns", "p", of_uid("u-1")).ok());
  stage.answer(409, status_body(409, "Conflict", "the UID in the precondition does not match"));
  CHECK(writer.remove(k_pod, "ns", "p", of_uid("u-1")).error().kind == Kind::conflict);
  stage.answer(404, "<html>no such page</html>", {{"Content-Type", "text/html"}});
  CHECK(writer.remove(k_pod, "ns", "p", of_uid("u-1")).error().kind == Kind::unavailable);
  stage.answer(200, status_body(403, "Forbidden", "no"));
  CHECK(writer.remove(k_pod, "ns", "p", of_uid("u-1")).error().kind == Kind::auth);
  stage.no_answer(lost_reply());
  CHECK(writer.remove(k_pod, "ns", "p", of_uid("u-1")).error().kind == Kind::outcome_unknown);
  stage.answer(404, status_body(404, "NotFound", "the server could not find the requested resource"));
  CHECK(writer.remove(k_pod, "ns", "p", of_uid("u-1")).error().kind == Kind::unavailable);
  CHECK(stage.script.requests.size() == 6);
}

TEST_CASE("creating is strict, names its manager, and keeps every field (D1, D5, D6)") {
  Stage stage;
  stage.answer(201, pod_body("p"));
  REQUIRE(stage.writer(true).create(k_pod, "ns", pod()).ok());
  CHECK(stage.last().method == "POST");
  CHECK(stage.last().target ==
        "/api/v1/namespaces/ns/pods?dryRun=All&fieldManager=kubectl-truenas-migrate&fieldValidation=Strict");
  CHECK(*json::parse(stage.last().body, "body") == pod());
  stage.answer(201, pod_body("p"));
  REQUIRE(stage.writer().create(k_pod, "ns", pod()).ok());
  CHECK(stage.last().target ==
        "/api/v1/namespaces/ns/pods?fieldManager=kubectl-truenas-migrate&fieldValidation=Strict");
}

TEST_CASE("creating in another namespace than the object's, or in none, is refused") {
  Stage stage;
  CHECK(stage.writer().create(k_pod, "other", pod()).error().kind == Kind::usage);
  CHECK(stage.writer().create(k_pod, "", pod()).error().kind == Kind::usage);
  json::Value evil = pod();
  evil.set_at("/metadata/name", "../x");
  CHECK(stage.writer().create(k_pod, "ns", evil).error().kind == Kind::usage);
  CHECK(stage.script.requests.empty());
}

TEST_CASE("a name that is taken is a conflict, also where a proxy says so") {
  Stage stage;
  stage.answer(409, status_body(409, "AlreadyExists", "pods \\\"p\\\" already exists"));
  stage.answer(409, "");
  CHECK(stage.writer().create(k_pod, "ns", pod()).error().kind == Kind::conflict);
  CHECK(stage.writer().create(k_pod, "ns", pod()).error().kind == Kind::conflict);
}

TEST_CASE("each kind of patch has its content type (H4)") {
  struct Row {
    PatchKind kind;
    const char* type;
  };
  for (const Row& row : {Row{PatchKind::merge, "application/merge-patch+json"},
                         Row{PatchKind::json, "application/json-patch+json"},
                         Row{PatchKind::strategic, "application/strategic-merge-patch+json"},
                         Row{PatchKind::apply, "application/apply-patch+yaml"}}) {
    Stage stage;
    stage.answer(200, pod_body("p"));
    REQUIRE(stage.writer(true).patch(k_cluster, "ns", "p", row.kind, pod(), "status").ok());
    CHECK(stage.last().method == "PATCH");
    CHECK(header(stage.last(), "Content-Type") == row.type);
    CHECK(stage.last().target.starts_with(
        "/apis/postgresql.cnpg.io/v1/namespaces/ns/clusters/p/status?dryRun=All&"));
  }
}

TEST_CASE("a patch that lost its race is a conflict") {
  Stage stage;
  stage.answer(409, status_body(409, "Conflict", "the object has been modified"));
  CHECK(stage.writer().patch(k_pod, "ns", "p", PatchKind::merge, pod()).error().kind == Kind::conflict);
  CHECK(stage.script.requests.size() == 1);
}

TEST_CASE("a JSON patch that does not fit the object is a conflict, an invalid object is not") {
  Stage stage;
  const json::Value patch = *json::parse(R"([{"op":"test","path":"/data/a","value":"9"}])", "test");
  const std::string misfit =
      status_body(422, "Invalid", "the server rejected our request", R"(,"details":{})");
  stage.answer(422, misfit);
  CHECK(stage.writer().patch(k_pod, "ns", "p", PatchKind::json, patch).error().kind == Kind::conflict);
  stage.answer(422, misfit);
  CHECK(stage.writer().patch(k_pod, "ns", "p", PatchKind::merge, patch).error().kind == Kind::refused);
  stage.answer(422, status_body(422, "Invalid", "m", R"(,"details":{"kind":"Pod","causes":[]})"));
  CHECK(stage.writer().patch(k_pod, "ns", "p", PatchKind::json, patch).error().kind == Kind::refused);
}

TEST_CASE("creating in a namespace that is not there is told from a path that is not served") {
  Stage stage;
  stage.answer(404, not_found_body("ns"));
  CHECK(stage.writer().create(k_pod, "ns", pod()).error().kind == Kind::not_found);
  stage.answer(404, "404 page not found");
  CHECK(stage.writer().create(k_pod, "ns", pod()).error().kind == Kind::unavailable);
}

TEST_CASE("without leave nothing is written") {
  Stage stage;
  Permit lost;
  lost.still_granted = [] { return Result<void>(make_error(Kind::locked, "the lock was lost")); };
  for (const Permit& permit : {lost, Permit()}) {
    Writer writer(stage.session, permit);
    const Kind expected = permit.still_granted ? Kind::locked : Kind::bug;
    CHECK(writer.create(k_pod, "ns", pod()).error().kind == expected);
    CHECK(writer.patch(k_pod, "ns", "p", PatchKind::merge, pod()).error().kind == expected);
    CHECK(writer.remove(k_pod, "ns", "p", of_uid("u")).error().kind == expected);
    ExecRequest request{"ns", "p", "c", {"true"}};
    CHECK(writer.exec(request).error().kind == expected);
  }
  CHECK(stage.script.requests.empty());
}

TEST_CASE("a dry run executes nothing in a container") {
  Stage stage;
  ExecRequest request{"ns", "p", "c", {"psql", "-c", "CHECKPOINT"}};
  CHECK(stage.writer(true).exec(request).error().kind == Kind::refused);
  CHECK(stage.script.requests.empty());
}

}  // namespace truenas::kube
