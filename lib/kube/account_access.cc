#include "lib/kube/account_access.h"

#include <fmt/format.h>

#include "lib/json/view.h"

namespace truenas::kube {
namespace {

constexpr ResourceType k_subject_access_review{"authorization.k8s.io", "v1", "subjectaccessreviews",
                                               "SubjectAccessReview", false};

json::Value attributes_of(const AccessQuery& query) {
  json::Value attributes = json::Value::object({{"verb", query.verb}, {"resource", query.resource}});
  for (const auto& [key, value] : {std::pair<const char*, const std::string&>{"group", query.group},
                                   {"subresource", query.subresource},
                                   {"namespace", query.ns},
                                   {"name", query.name}}) {
    if (!value.empty()) attributes.set(key, value);
  }
  return attributes;
}

}  // namespace

Result<bool> can_service_account(const Reader& reader, std::string_view account_ns, std::string_view account,
                                 const AccessQuery& query) {
  // The groups that every service account is in.
  const std::string all = "system:serviceaccounts";
  const std::string user = fmt::format("system:serviceaccount:{}:{}", account_ns, account);
  json::Value review = json::Value::object(
      {{"apiVersion", api_version(k_subject_access_review)}, {"kind", k_subject_access_review.kind}});
  review.set_at("/spec/user", user);
  review.set_at("/spec/groups",
                json::Value::array({all, fmt::format("{}:{}", all, account_ns), "system:authenticated"}));
  review.set_at("/spec/resourceAttributes", attributes_of(query));
  Call call;
  call.method = "POST";  // but nothing of it is kept, so a lost reply does no harm: read_only stays
  call.what = fmt::format("ask whether {} may {} {}", user, query.verb, query.resource);
  TM_TRY_ASSIGN(call.path, resource_path(k_subject_access_review, "", ""));
  call.body = json::write(review);
  TM_TRY_ASSIGN(const json::Value reply, reader.session().call_json(call));
  return json::View(reply, "reply to " + call.what).get_boolean("/status/allowed");
}

}  // namespace truenas::kube
