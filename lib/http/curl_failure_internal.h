#pragma once
// What a failed exchange means to the rest of the project: the kind, and a sentence as kubectl would say it.
// Pure. Private to lib/http.

#include "lib/http/curl_exchange_internal.h"
#include "lib/http/curl_options_internal.h"

namespace truenas::http {

// `is_write`: when anything of it may have been sent, the outcome is unknown, whatever the reason.
Error describe_failure(const Origin& origin, const Request& request, bool is_write, const Ending& ending);

}  // namespace truenas::http
