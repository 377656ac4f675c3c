#pragma once
// What the flags of `storageclass` ask for: which class, compared with what, and the way to change it. It
// reads the file that --from-file names and nothing else.

#include "lib/workflow/class_probe.h"
#include "lib/workflow/storage_class/world.h"
#include "plugin/migration.h"

namespace truenas::plugin {

struct StorageClassFlags {
  workflow::ClassOptions options;
  std::string model;  // the class whose mount options the one beside it takes (--as-name); "" for none
  std::string journal_ns;
  bool apply = false;  // or --rollback
  bool status = false;
  workflow::ProbeRequest probe;  // uids and wishes
  MigrationFlags migration;
};

std::vector<FlagGroup> storage_class_flags();
// Kind::usage for flags that exclude each other, or a file that cannot be read, format for what is in it.
Result<StorageClassFlags> read_storage_class_flags(const Arguments& arguments);

}  // namespace truenas::plugin
