#include "tests/fakes/coderd_transport.h"

#include <fmt/format.h>

#include "lib/base/text.h"

namespace truenas::fakes {
namespace {

using json::Value;

std::string verb_of(const std::string& method) {
  if (method == "POST") return "create";
  if (method == "DELETE") return "delete";
  return method == "PATCH" ? "patch" : "get";
}

DoorReply ask(FakeCluster& cluster, const std::string& method, const std::string& path,
              const std::string& type, const Value& body) {
  http::Request request;
  request.method = method;
  request.target = path;
  if (!type.empty()) request.headers.emplace_back("Content-Type", type);
  if (!body.is_null()) request.body = json::write(body);
  const http::Response response = cluster.handle(request);
  Result<Value> parsed = json::parse(response.body, "reply");
  return {response.status, parsed.ok() ? std::move(parsed).value() : Value()};
}

bool account_may(FakeCluster& cluster, const std::string& account, const std::string& method,
                 const std::string& path) {
  const std::vector<std::string> parts = split(path, '/');
  const bool claims = parts.size() > 5 && parts[5] == "persistentvolumeclaims";
  if (account.empty() || method == "GET" || !claims) return true;
  Value review = Value::object({{"apiVersion", "authorization.k8s.io/v1"}, {"kind", "SubjectAccessReview"}});
  review.set_at("/spec/user", account);
  review.set_at("/spec/resourceAttributes",
                Value::object({{"verb", verb_of(method)}, {"resource", parts[5]}, {"namespace", parts[4]}}));
  const DoorReply reply =
      ask(cluster, "POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", "application/json", review);
  return !reply.ok() || reply.body.boolean_at("/status/allowed", true);
}

}  // namespace

Result<http::Response> CoderdTransport::send(const http::Request& request, const http::BodySink& sink) {
  http::Request sent = request;
  if (!request.authorization.empty())
    sent.headers.emplace_back(request.authorization_header, request.authorization.reveal());
  std::optional<http::Response> response = coder_.handle(sent);
  if (!response) {
    return make_error(request.method == "GET" ? Kind::unavailable : Kind::outcome_unknown,
                      "unable to connect to the server: the connection ended before a reply came");
  }
  if (!sink || response->status / 100 != 2) return std::move(*response);
  const std::string body = std::move(response->body);
  response->body.clear();
  for (std::size_t at = 0, size = 1; at < body.size(); at += size, size = size * 3 % 4093 + 7) {
    TM_TRY(sink(std::string_view(body).substr(at, size)));
  }
  return std::move(*response);
}

Result<http::Upgrade> CoderdTransport::upgrade(const http::Request&, const std::vector<std::string>&) {
  return make_error(Kind::bug, "the stand-in coderd has no WebSockets");
}

std::unique_ptr<coder::ServerSession> make_server_session(Coderd& coder, Clock& clock,
                                                          const std::string& token) {
  coder::ServerSessionOptions options;
  options.url = "http://coder.test";
  options.token = Secret(token);
  options.qps = options.owner_qps = 0;
  return std::make_unique<coder::ServerSession>(std::make_unique<CoderdTransport>(coder), std::move(options),
                                                clock);
}

ClusterDoor door_to(FakeCluster& cluster, const std::string& account) {
  return [&cluster, account](const std::string& method, const std::string& path, const std::string& type,
                             const Value& body) -> DoorReply {
    if (account_may(cluster, account, method, path)) return ask(cluster, method, path, type, body);
    return {403,
            Value::object({{"kind", "Status"},
                           {"message", fmt::format("User \"{}\" cannot {}", account, verb_of(method))}})};
  };
}

ClusterDoor door_to(kube::Session& session) {
  return [&session](const std::string& method, const std::string& path, const std::string& type,
                    const Value& body) -> DoorReply {
    kube::Call call;
    call.method = method;
    call.path = path;
    call.content_type = type;
    if (!body.is_null()) call.body = json::write(body);
    call.what = method + " " + path;
    call.read_only = method == "GET";
    kube::Status status;
    Result<Value> reply = session.call_json(call, &status);
    if (reply.ok()) return {200, std::move(reply).value()};
    return {status.code, Value::object({{"message", reply.error().what}})};
  };
}

}  // namespace truenas::fakes
