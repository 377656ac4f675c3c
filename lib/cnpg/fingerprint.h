#pragma once
// What a database holds, object by object, as text that another database's can be compared with: rows counted
// and hashed, sequences, large objects, and every catalog object with all that the catalog says of it. So
// that a dump is not believed because it ended with 0: what it does not carry (facts/cnpg.md §11: whole
// tables, rights, disabled triggers) is found in a rehearsal, by name.
//
// Two scripts for psql, of PostgreSQL 14 or later, and what their output means. Reads only; takes no lock
// that keeps anybody from writing. A password or a connection string is hashed in the server: neither is in
// the output, and no difference shows a hash. It must not decide which difference may be accepted.

#include <compare>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lib/json/value.h"

namespace truenas::cnpg {

// Of the database that psql is connected to. As superuser; in the transaction of a snapshot, if there is one:
// both then see the same moment.
std::string database_fingerprint_sql();
// Roles, memberships, settings, tablespaces, databases: what pg_dumpall --globals-only is for, and what
// neither carries.
std::string server_fingerprint_sql();

struct ObjectName {
  std::string kind;  // a catalog without "pg_" ("class", "proc"), or "rows", "sequence value", …
  std::string name;  // as pg_identify_object() writes it
  auto operator<=>(const ObjectName&) const = default;
};
using Fingerprint = std::map<ObjectName, json::Value>;

// What psql has written. Errors: Kind::format for anything else, also for output that was cut: its last line
// says that it is complete.
Result<Fingerprint> parse_fingerprint(std::string_view text, std::string_view source);

struct FingerprintDifference {
  enum class Type { lost, gained, changed } type = Type::changed;
  ObjectName object;
  std::string what;        // one line: which of its properties, before and after
  bool data = false;       // users' bytes: rows, large objects, a sequence's value
  std::size_t follow = 0;  // lesser differences that come with this one, such as a lost table's columns
};
// "lost: rows of app.users: …", printable.
std::string describe(const FingerprintDifference& difference);

// Everything that differs, users' data first. Empty: nothing does.
std::vector<FingerprintDifference> compare_fingerprints(const Fingerprint& before, const Fingerprint& after);

}  // namespace truenas::cnpg
