#pragma once
// What the TrueNAS CSI driver makes of a class's parameters, as its sources have it: which build knows which
// key, what an absent, an empty and a given value mean for the volumes made from then on, and what is wrong
// with a set of parameters by itself. The driver never rejects a key that it does not know, so this is the
// only place where a slip shows. Pure; the share of an existing volume is the probe's to tell.

#include <string>
#include <string_view>
#include <vector>

#include "lib/storage/class_document.h"

namespace truenas::storage {

// How the NFS share of a new volume maps users.
struct SharePromise {
  std::string fork;  // by the build with dataset permissions: "root_squash", "all_squash to root:wheel", …
  std::string upstream;  // by an upstream build from v1.1.2 on
  bool same() const { return fork == upstream; }
};
SharePromise promised_share(const Strings& parameters);
// "root_squash", or "root_squash from the fork build, all_squash to root:wheel from an upstream one".
std::string describe(const SharePromise& share);

// Case-sensitive, as the driver's look-up is.
bool is_known_parameter(std::string_view key);
// Those without a free part, for "did you mean".
std::vector<std::string> known_parameters();

// What a difference in this key means for new volumes, in one sentence without a full stop. Both sides' other
// parameters count too: mapall and rootSquash are read together.
std::string consequence_of(std::string_view key, const Strings& live, const Strings& wanted);

// What is wrong with, or remarkable about, these parameters by themselves, one sentence each: what the driver
// or the NAS will refuse, what is silently ignored, what only the fork build knows.
std::vector<std::string> traps_of(const Strings& parameters);

}  // namespace truenas::storage
