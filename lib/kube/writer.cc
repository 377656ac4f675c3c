#include "lib/kube/writer.h"

#include <fmt/format.h>

#include "lib/kube/exec_run.h"
#include "lib/kube/reader_internal.h"

namespace truenas::kube {
namespace {

std::string_view content_type_of(PatchKind kind) {  // H4
  switch (kind) {
    case PatchKind::merge:
      return "application/merge-patch+json";
    case PatchKind::json:
      return "application/json-patch+json";
    case PatchKind::strategic:
      return "application/strategic-merge-patch+json";
    case PatchKind::apply:
      return "application/apply-patch+yaml";
  }
  return "";
}

Result<void> may_write(const Permit& permit, const std::string& what) {
  if (!permit.still_granted) return make_error(Kind::bug, fmt::format("{}: no permit to write", what));
  return permit.still_granted();
}

// D1, D6: how a POST or PATCH says who it is and whether it is only a trial.
void add_write_options(Call& call, const Permit& permit) {
  call.query.emplace_back("fieldManager", permit.field_manager);
  if (permit.server_dry_run) call.query.emplace_back("dryRun", "All");
}

// D2: with a body the server reads no query, so dryRun belongs here; D3: so do the preconditions.
std::string delete_body(const DeleteOptions& options, bool dry_run) {
  json::Value body = json::Value::object({{"kind", "DeleteOptions"}, {"apiVersion", "v1"}});
  body.set("propagationPolicy", options.propagation);
  body.set_at("/preconditions/uid", options.uid);
  if (!options.resource_version.empty())
    body.set_at("/preconditions/resourceVersion", options.resource_version);
  if (options.grace_period_seconds >= 0) body.set("gracePeriodSeconds", options.grace_period_seconds);
  if (dry_run) body.set("dryRun", json::Value::array({"All"}));
  return json::write(body);
}

// A JSON patch whose test failed, or whose place is not there, is answered 422 without a word why: the object
// is not what it was taken for.
Error misfit(Error error, const Status& status) {
  if (status.code != 422 || !status.body.members_at("/details").empty()) return error;
  error.kind = Kind::conflict;
  error.what = "the object is not as the patch expects it: " + error.what;
  return error;
}

Call write_call(std::string_view method, std::string what) {
  Call call;
  call.method = method;
  call.what = std::move(what);
  call.read_only = false;
  return call;
}

}  // namespace

Permit Permit::server_trial() {
  Permit permit;
  permit.server_dry_run = true;
  permit.still_granted = [] { return Result<void>(); };
  return permit;
}

Result<json::Value> Writer::create(const ResourceType& type, std::string_view ns, const json::Value& object) {
  const Identity identity = identity_of(object);
  Call call = write_call("POST", call_name("create", type, ns, identity.name));
  TM_TRY(may_write(permit_, call.what));
  if (type.namespaced && (ns.empty() || (!identity.ns.empty() && identity.ns != ns))) {
    return make_error(Kind::usage,
                      fmt::format("cannot {}: the object's namespace is \"{}\"", call.what, identity.ns));
  }
  TM_TRY_ASSIGN(call.path, resource_path(type, ns, ""));
  TM_TRY(resource_path(type, ns, identity.name));  // H7 for the name in the body
  add_write_options(call, permit_);
  call.query.emplace_back("fieldValidation", "Strict");  // D5
  call.content_type = "application/json";
  call.body = json::write(object);
  Status status;
  Result<json::Value> created = session_->call_json(call, &status);
  // A 404 is about the namespace, where it names one.
  if (!created.ok()) return doubt_absence(std::move(created).take_error(), status, ns);
  return created;
}

Result<json::Value> Writer::patch(const ResourceType& type, std::string_view ns, std::string_view name,
                                  PatchKind kind, const json::Value& patch, std::string_view subresource) {
  Call call = write_call("PATCH", call_name("patch", type, ns, name));
  TM_TRY(may_write(permit_, call.what));
  if (name.empty()) return make_error(Kind::bug, call.what + ": no name");
  TM_TRY_ASSIGN(call.path, resource_path(type, ns, name, subresource));
  add_write_options(call, permit_);
  if (kind == PatchKind::apply) call.query.emplace_back("fieldValidation", "Strict");
  call.content_type = content_type_of(kind);
  call.body = json::write(patch);
  Status status;
  Result<json::Value> patched = session_->call_json(call, &status);
  if (patched.ok()) return patched;
  Error error = doubt_absence(std::move(patched).take_error(), status, name);
  return kind == PatchKind::json ? misfit(std::move(error), status) : error;
}

Result<void> Writer::remove(const ResourceType& type, std::string_view ns, std::string_view name,
                            const DeleteOptions& options) {
  Call call = write_call("DELETE", call_name("delete", type, ns, name));
  TM_TRY(may_write(permit_, call.what));
  // An empty name would delete the whole collection.
  if (name.empty() || options.uid.empty()) {
    return make_error(Kind::bug,
                      fmt::format("cannot {}: without name and uid nothing is deleted", call.what));
  }
  TM_TRY_ASSIGN(call.path, resource_path(type, ns, name));
  call.content_type = "application/json";
  call.body = delete_body(options, permit_.server_dry_run);
  Status status;
  Result<json::Value> reply = session_->call_json(call, &status);
  if (reply.ok()) return {};
  Error error = doubt_absence(std::move(reply).take_error(), status, name);
  if (error.kind == Kind::not_found) return {};
  return error;
}

Writer Writer::trying() const {
  Permit permit = permit_;
  permit.server_dry_run = true;
  return Writer(*session_, std::move(permit));
}

Result<ExecResult> Writer::exec(const ExecRequest& request) {
  const std::string what = call_name("exec", k_pod, request.ns, request.pod);
  TM_TRY(may_write(permit_, what));
  if (permit_.server_dry_run) {
    return make_error(Kind::refused,
                      fmt::format("cannot {}: a dry run executes nothing in a container", what));
  }
  return run_in_container(Reader(*session_), request, ExecPurpose::change);
}

}  // namespace truenas::kube
