#include "lib/kube/account_access.h"

#include <fmt/format.h>

#include "lib/kube/reader_internal.h"

namespace truenas::kube {
namespace {

constexpr ResourceType k_subject_access_review{"authorization.k8s.io", "v1", "subjectaccessreviews",
                                               "SubjectAccessReview", false};

}  // namespace

Result<bool> can_service_account(const Reader& reader, std::string_view account_ns, std::string_view account,
                                 const AccessQuery& query) {
  // The groups that every service account is in.
  const std::string all = "system:serviceaccounts";
  const std::string user = fmt::format("system:serviceaccount:{}:{}", account_ns, account);
  json::Value spec = json::Value::object({{"user", user}});
  spec.set("groups",
           json::Value::array({all, fmt::format("{}:{}", all, account_ns), "system:authenticated"}));
  return review_access(reader.session(), k_subject_access_review, std::move(spec), query,
                       fmt::format("ask whether {} may {} {}", user, query.verb, query.resource));
}

}  // namespace truenas::kube
