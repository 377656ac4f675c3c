#pragma once
// What a failure answer of the server says (S1-S6): its Status object, or, where a proxy answered instead of
// the API server, one made up as client-go does (S3), and the Error that this project makes of it. Pure. It
// must not decide whether to try again (retry.h).

#include "lib/base/result.h"
#include "lib/http/transport.h"
#include "lib/kube/session.h"

namespace truenas::kube {

// The Status of an answer that is no 2xx. `body` of the outcome is null exactly when the server sent no
// Status object: its code is then hearsay of whoever answered, and no proof that an object is absent.
Status read_status(const http::Response& response, const Call& call);
// The same for a Status object at hand: a 2xx body (S4) or the object of a watch's ERROR event.
Status read_status_object(const json::Value& object);
// True for a body that is a Status other than Success (S4).
bool is_failure(const json::Value& body);
// Kind by reason first, code second (S2); text as kubectl prints it, in one line (S5).
Error status_error(const Status& status, const Call& call);
// details.retryAfterSeconds, 0 if absent (W3).
Seconds retry_after_of(const Status& status);

}  // namespace truenas::kube
