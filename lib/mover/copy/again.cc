#include "lib/mover/copy/again.h"

#include <algorithm>

#include "lib/base/interrupt.h"
#include "lib/mover/attributes.h"
#include "lib/mover/identity.h"

namespace truenas::mover {
namespace {

// An open directory of the source and whom to be when looking into it.
struct Opened {
  OpenDirectory directory;
  std::optional<Owner> reader;
};

Attempt<Attributes> look(const Opened& in, const std::string& name) {
  const Acting acting(in.reader);
  return read_attributes(in.directory->get(), name.c_str());
}

// Nothing: there is no such directory.
std::optional<Opened> go_into(const Run& run, const Opened& above, const std::string& name) {
  const Attempt<Attributes> found = look(above, name);
  if (!found.ok() || found->type != FileType::directory) return std::nullopt;
  const std::optional<Owner> reader = run.reader_of(found->owner);
  Attempt<Descriptor> opened = open_directory(above.directory->get(), name.c_str(), above.reader, reader);
  if (!opened) return std::nullopt;
  return Opened{std::make_shared<const Descriptor>(std::move(*opened)), reader};
}

std::optional<Opened> go_to(const Run& run, Opened at, const std::string& path) {
  for (std::size_t start = 0; start < path.size();) {
    const std::size_t end = std::min(path.find('/', start), path.size());
    std::optional<Opened> next = go_into(run, at, path.substr(start, end - start));
    if (!next) return std::nullopt;
    at = std::move(*next);
    start = end + 1;
  }
  return at;
}

}  // namespace

std::set<FileKey> groups_asked_for(const Run& run, const OpenDirectory& root) {
  const Opened top{root, run.reader_of(run.source.attributes().owner)};
  std::set<FileKey> groups;
  std::string last;  // the directory that is open; the paths are sorted, so the next is often in it, too
  std::optional<Opened> open = top;
  for (const std::string& path : run.options.again) {
    if (interrupted()) break;
    const std::size_t slash = path.rfind('/');
    const std::string directory = slash == std::string::npos ? std::string() : path.substr(0, slash);
    if (directory != last) open = go_to(run, top, directory);
    last = directory;
    if (!open) continue;
    const Attempt<Attributes> found = look(*open, path.substr(slash == std::string::npos ? 0 : slash + 1));
    if (found.ok() && found->type != FileType::directory && found->links > 1) groups.insert(found->key());
  }
  return groups;
}

}  // namespace truenas::mover
