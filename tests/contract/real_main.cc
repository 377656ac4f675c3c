// The suite's main where it runs on a real API server.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>

#include "tests/contract/backend.h"

int main(int argc, char** argv) {
  if (std::getenv("TM_REAL_KUBECONFIG") == nullptr) {
    std::puts("SKIPPED: contract on a real API server: TM_REAL_KUBECONFIG is not set (make cluster-up)");
    return 0;
  }
  truenas::contract::backend();
  doctest::Context context(argc, argv);
  const int outcome = context.run();
  truenas::contract::close_backend();
  return outcome;
}
