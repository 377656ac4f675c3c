#pragma once
// One request's target, resolved. Private to the files of Api.

#include "tests/fakes/api.h"

namespace truenas::fakes {

struct Api::Target {
  const KnownResource& resource;
  const ApiPath& path;
  Key key;
  bool dry_run() const { return path.parameter("dryRun") == "All"; }
};

}  // namespace truenas::fakes
