#pragma once
// Apart: proof that source and target are two trees and neither lies in the other. Device numbers and the
// mount table show it on one machine (tree.h), but not where one export is mounted under two names of its
// server: there a file of an unpredictable name, put into the target's root for as long as the run lasts,
// must not be seen in the source. Nothing is ever written into the source to find out.

#include <functional>
#include <string>

#include "lib/base/result.h"
#include "lib/mover/attempt.h"
#include "lib/mover/entry.h"

namespace truenas::mover {

// Whether two looks, taken while nothing changed, may have been at one directory, whatever the device numbers
// say: its number and its times are equal. No two directories have one ctime to the nanosecond. Pure.
bool may_be_one(const Attributes& one, const Attributes& other);

struct Run;
struct DirectoryPair;
struct OpenPair;

// Before the first change: Kind::refused when both roots are one directory. Puts the nonce where device
// numbers do not tell for certain. What cannot be written there is reported and an error.
Result<void> prove_apart(Run& run, DirectoryPair& pair, const OpenPair& open);
// Whether an open directory of the source, seen as `seen`, is the target's root. Acts as the thread does.
bool is_target_root(const Run& run, const Attributes& seen, int directory);
// Whether what was seen on the target is the source's root; `look` looks at it again, at the server. What
// cannot be told counts as yes.
bool is_source_root(const Run& run, const Attributes& seen, const std::function<Attempt<Attributes>()>& look);
// Takes the nonce away again; reported when it stays. `refused`: nothing else was changed either.
void remove_nonce(Run& run, bool refused = false);
// One side was met inside the other: reported, and nothing more is done.
void stop_nested(Run& run, const std::string& path, std::string kind, std::string text);

}  // namespace truenas::mover
