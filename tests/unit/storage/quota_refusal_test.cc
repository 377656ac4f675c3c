#include "lib/storage/quota_refusal.h"

#include <doctest/doctest.h>

#include <string>

namespace truenas::storage {
namespace {

std::string refusal(const std::string& used, const std::string& limited) {
  return "persistentvolumeclaims \"a\" is forbidden: exceeded quota: q, requested: persistentvolumeclaims=1, "
         "used: " +
         used + ", limited: " + limited;
}

}  // namespace

TEST_CASE("a quota that is full has room for what takes another one's place, one that is overfull has not") {
  CHECK(fits_in_place(refusal("persistentvolumeclaims=2", "persistentvolumeclaims=2"), false));
  CHECK(fits_in_place(refusal("persistentvolumeclaims=2,requests.storage=3072Mi",
                              "persistentvolumeclaims=2,requests.storage=3Gi"),
                      false));
  CHECK_FALSE(fits_in_place(refusal("persistentvolumeclaims=3", "persistentvolumeclaims=2"), true));
  CHECK_FALSE(fits_in_place(refusal("persistentvolumeclaims=1,requests.storage=4Gi",
                                    "persistentvolumeclaims=2,requests.storage=3Gi"),
                            true));
}

TEST_CASE("a quota of one class is not eased by what is of another") {
  const std::string text = refusal("new.storageclass.storage.k8s.io/persistentvolumeclaims=1",
                                   "new.storageclass.storage.k8s.io/persistentvolumeclaims=1");
  CHECK(fits_in_place(text, true));
  CHECK_FALSE(fits_in_place(text, false));
}

TEST_CASE("what is no such refusal, or cannot be read, has no room") {
  for (const char* text : {"", "exceeded quota: q", "exceeded quota: q, requested: a=1, used: a=1",
                           "violates PodSecurity", "exceeded quota: q, requested: a=1, used: , limited: ",
                           "exceeded quota: q, requested: a=1, used: a=x, limited: a=1",
                           "exceeded quota: q, requested: a=1, used: a, limited: a=1",
                           "exceeded quota: q, requested: a=1, used: a=1, limited: b=1"}) {
    CAPTURE(text);
    CHECK_FALSE(fits_in_place(text, true));
  }
}

}  // namespace truenas::storage
