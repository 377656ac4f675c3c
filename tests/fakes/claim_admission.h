#pragma once
// What the API server's admission plug-ins do with claims: DefaultStorageClass and
// PersistentVolumeClaimResize.

#include <optional>

#include "lib/http/transport.h"
#include "tests/fakes/store.h"

namespace truenas::fakes {

// A claim that names no class gets the default one of this moment, if there is one.
void set_default_class(const Store& store, json::Value& claim);
// The refusal of a bigger request where the claim's class does not let its volumes grow.
std::optional<http::Response> refuse_growth(const Store& store, const json::Value& before,
                                            const json::Value& after);

}  // namespace truenas::fakes
