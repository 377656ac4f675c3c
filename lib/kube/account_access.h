#pragma once
// What somebody else may do: a service account's rights, asked of the API server by SubjectAccessReview,
// which keeps nothing. The user's own rights are Reader::can_i's.

#include <string_view>

#include "lib/kube/reader.h"

namespace truenas::kube {

// May the service account `account` of namespace `account_ns` do this? Kind::auth when the user may not ask.
Result<bool> can_service_account(const Reader& reader, std::string_view account_ns, std::string_view account,
                                 const AccessQuery& query);

}  // namespace truenas::kube
