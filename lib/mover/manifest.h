#pragma once
// manifest and check: what a tree is, written down directory by directory, and whether it still is. Both only
// read the tree.

#include <set>
#include <string>

#include "lib/mover/finding.h"
#include "lib/mover/ownership.h"
#include "lib/mover/tree.h"

namespace truenas::mover {

struct ManifestOptions {
  bool as_owner = false;            // the tree's server squashes root
  OwnerMap owners;                  // owners are written as mapped, and the rules with them
  std::set<std::string> leave_out;  // paths relative to the root, with all below
  bool root_carried = true;         // whether check must find the root directory's own attributes as they are
  bool xattrs = true;
  unsigned workers = 8;
  std::string output;  // a file, or "-" for JSON lines of type manifest
};

// Deterministic: depends on the tree alone. Facts: "manifest", the hash of all lines. Outcome::exit: 0, 1
// when something could not be read (then no file appears), 143.
Outcome write_manifest(const Root& root, const ManifestOptions& options, Reporter& reporter);

struct CheckOptions {
  bool as_owner = false;
  bool unmapped = false;  // the tree has the owners before the manifest's mapping (it is the source)
  unsigned workers = 8;
};

// Kinds of findings: directory-differs, directory-missing, directory-extraneous, each with its path;
// root-directory (expected, if the manifest says so). Outcome::exit: 0, 3 when a directory differs, 1 when
// something could not be read or the manifest is not right, 143.
Outcome check_manifest(const Root& root, const std::string& manifest, const CheckOptions& options,
                       Reporter& reporter);

}  // namespace truenas::mover
