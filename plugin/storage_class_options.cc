#include "plugin/storage_class_options.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "lib/base/text.h"
#include "lib/storage/class_wanted.h"
#include "lib/workflow/class_record.h"
#include "plugin/connection.h"
#include "plugin/storage_class_probe.h"

namespace truenas::plugin {
namespace {

constexpr std::size_t k_file_limit = std::size_t{1} << 20;
constexpr const char* k_class = "truenas-csi-nfs";

Result<std::string> read_file(const std::string& path) {
  const auto close = [](std::FILE* file) {
    if (file != nullptr && file != stdin) static_cast<void>(std::fclose(file));
  };
  const std::unique_ptr<std::FILE, decltype(close)> file(path == "-" ? stdin : std::fopen(path.c_str(), "rb"),
                                                         close);
  const auto failed = [&] {
    return make_error(Kind::usage, fmt::format("cannot read {}: {}", printable(path), std::strerror(errno)));
  };
  if (file == nullptr) return failed();
  std::string text;
  char buffer[4096];
  while (const std::size_t got = std::fread(buffer, 1, sizeof buffer, file.get())) {
    text.append(buffer, got);
    if (text.size() > k_file_limit) {
      return make_error(Kind::usage,
                        fmt::format("{} is larger than 1 MiB: that is no StorageClass", printable(path)));
    }
  }
  if (std::ferror(file.get()) != 0) return failed();
  return text;
}

Result<json::Value> wanted_class(const Arguments& arguments) {
  const auto file = arguments.optional_text("from-file");
  if (!file) {
    const std::string name = arguments.given("class") ? arguments.text("class") : k_class;
    return storage::with_settings(storage::runbook_class(name), arguments.texts("set"));
  }
  if (arguments.given("set")) {
    return make_error(Kind::usage,
                      "--set changes the built-in class; write it into the file of --from-file instead");
  }
  TM_TRY_ASSIGN(const std::string text, read_file(*file));
  TM_TRY_ASSIGN(json::Value object,
                storage::parse_class_file(text, printable(*file == "-" ? "standard input" : *file)));
  const std::string& name = object.text_at("/metadata/name");
  if (arguments.given("class") && arguments.text("class") != name) {
    return make_error(Kind::usage,
                      fmt::format("--class is {} and {} is about {}", quote(arguments.text("class")),
                                  printable(*file), quote(name)));
  }
  return object;
}

Result<void> check_name(const std::string& flag, const json::Value& object) {
  const auto strict = storage::parse_class_file(json::write(object), flag);
  if (strict.ok()) return {};
  return make_error(Kind::usage, strict.error().what, strict.error().hints);
}

Result<void> check_combination(const Arguments& arguments) {
  if (!arguments.positionals().empty()) {
    return make_error(Kind::usage, fmt::format("storageclass takes no argument, got {}; name it with --class",
                                               printable(arguments.positionals()[0])));
  }
  const bool apply = arguments.yes("apply"), rollback = arguments.yes("rollback");
  if (arguments.yes("probe") && (apply || rollback || arguments.yes("status"))) {
    return make_error(Kind::usage, "--probe goes with neither --apply, --rollback nor --status");
  }
  if (apply && rollback) return make_error(Kind::usage, "--apply and --rollback exclude each other");
  if (arguments.given("as-name") && !apply) {
    return make_error(Kind::usage,
                      "--as-name says under which name --apply makes the class: --apply is missing");
  }
  if (rollback && (arguments.given("from-file") || arguments.given("set"))) {
    return make_error(Kind::usage,
                      "--rollback puts back what the journal has; it takes no --from-file and no --set");
  }
  return {};
}

}  // namespace

std::vector<FlagGroup> storage_class_flags() {
  std::vector<Flag> own = {
      {"class", 0, "NAME", "The storage class to look at.", k_class},
      {"from-file", 0, "FILE", "Compare with the StorageClass in this file (- is standard input)."},
      {"set", 0, "KEY=VALUE", "Change a parameter of the built-in wanted class; KEY- leaves it out.", "",
       true},
      {"from-class", 0, "NAME", "The storage class to leave, whose volumes are shown.", "truenas-nfs"},
      {"apply", 0, "", "Make the class as wanted; delete and create only while nothing depends on it."},
      {"as-name", 0, "NAME", "With --apply: make it beside the old one, under this name."},
      {"rollback", 0, "", "Put the class back as it was before the newest --apply."},
      {"status", 0, "", "Show what the journal remembers; changes nothing."},
      {"journal-namespace", 0, "NAME", "Where journal and lock lie.", workflow::k_class_journal_ns},
      {"no-headers", 0, "", "Leave the tables' headers out."},
      {"print-rbac", 0, "", "Print the ClusterRole that this command needs."},
  };
  for (Flag& flag : probe_flags()) own.push_back(std::move(flag));
  for (Flag& flag : migration_flags()) own.push_back(std::move(flag));
  return {{"Flags", std::move(own)}, connection_flags()};
}

Result<StorageClassFlags> read_storage_class_flags(const Arguments& arguments) {
  TM_TRY(check_combination(arguments));
  StorageClassFlags flags;
  TM_TRY_ASSIGN(flags.migration, read_migration_flags(arguments));
  TM_TRY_ASSIGN(flags.probe, read_probe_flags(arguments));
  if (flags.migration.format == OutputFormat::name) {
    return make_error(Kind::usage, "storageclass has no -o name; allowed formats are: json,wide,yaml");
  }
  workflow::ClassOptions& options = flags.options;
  TM_TRY_ASSIGN(options.wanted, wanted_class(arguments));
  options.name = options.wanted.text_at("/metadata/name");
  options.other_name = options.name + "-2";
  options.old_class = arguments.text("from-class");
  options.rollback = arguments.yes("rollback");
  for (const std::string& id : arguments.texts("accept")) options.accepted.insert(id);
  TM_TRY(check_name("--class", options.wanted));
  if (const auto name = arguments.optional_text("as-name")) {
    flags.model = options.name;
    options.name = *name;
    options.wanted.set_at("/metadata/name", *name);
    TM_TRY(check_name("--as-name", options.wanted));
  }
  flags.journal_ns = arguments.text("journal-namespace");
  flags.apply = arguments.yes("apply") || options.rollback;
  flags.status = arguments.yes("status");
  return flags;
}

}  // namespace truenas::plugin
