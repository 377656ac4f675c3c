#pragma once
// What a refusal by a ResourceQuota says about room that is about to become free. Pure text: the API server
// tells only in its message how much is used and how much is allowed.

#include <string_view>

namespace truenas::storage {

// Whether what was refused ("… exceeded quota: q, requested: a=1, used: a=2, limited: a=2") fits once
// something that asks for no less has gone: of nothing that it names more is used than allowed.
// `same_class`: what goes is of the same storage class; else a quota of the class's own is not eased by it.
// False for any other refusal, and where it cannot be read.
bool fits_in_place(std::string_view refusal, bool same_class);

}  // namespace truenas::storage
