#pragma once
// StorageClassWorld: everything that changing a StorageClass decides upon, as values: the class as it is, who
// depends on it, and what the journal remembers of earlier changes. Pure; questions about it are in
// queries.h.

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "lib/storage/class_document.h"
#include "lib/storage/class_users.h"

namespace truenas::workflow {

struct ClassOptions {
  std::string name;                // the class that is changed, metadata.name of `wanted`
  std::string old_class;           // whose volumes are shown; they never hinder
  json::Value wanted;              // a whole StorageClass document
  bool rollback = false;           // put back what the newest change not yet put back has changed
  std::string other_name;          // offered where the class cannot be replaced: --as-name
  std::set<std::string> accepted;  // --accept=ID
};

// One change as the journal has it: written before anything was changed.
struct ClassRun {
  enum class Way {
    create,   // there was no class of the name
    apply,    // only mutable fields differed
    replace,  // deleted and made again
    restore,  // --rollback of the run `undoes`
  };
  int number = 0;
  Way way = Way::create;
  int undoes = 0;        // of restore
  json::Value original;  // the whole object as it was before; null: there was none
  bool ended = false;
  bool abandoned =
      false;  // ended without having changed anything: a run the other way found its goal reached
};

struct StorageClassWorld {
  std::optional<storage::StorageClass> live;  // nullopt: there is none (known, not assumed)
  storage::ClassUsers users;
  std::vector<ClassRun> runs;  // oldest first
};

}  // namespace truenas::workflow
