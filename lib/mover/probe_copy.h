#pragma once
// Whether copy_file_range(2) works from one directory to another, and who copies then: the server by itself,
// or the client by reading and writing. Found out by trying. Private to the probe.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/mover/finding.h"
#include "lib/mover/probe_verdict.h"
#include "lib/mover/tree.h"

namespace truenas::mover {

struct CopyTrial {
  std::optional<int> error;             // errno; 0: it works; nothing: not tried
  std::string text = "not tried";       // "works", "EXDEV …", "not tried: …"
  std::string by_server = "not tried";  // "yes", "no: …", "not tried: …"
};

// Copies a file of `from` into the directory `space`, as the first of `callers` who can. Where `writable`,
// the file is one that it makes in `from`, in a directory of its own which it removes; else `from` is only
// read.
CopyTrial try_copy(int space, const Root& from, bool writable, const std::vector<Owner>& callers,
                   Reporter& reporter);

// How many copies NFS servers were asked for so far through all mounts of /proc/self/mountstats (the
// operation COPY, RFC 7862 §15.2). The system call's success tells nothing: the kernel copies by reading and
// writing where the server does not.
std::uint64_t count_server_copies(std::string_view mountstats);

}  // namespace truenas::mover
