#include "lib/mover/copy/nesting.h"

#include <dirent.h>
#include <sys/vfs.h>

#include "lib/base/interrupt.h"
#include "lib/mover/attributes.h"
#include "lib/mover/directory.h"
#include "lib/mover/identity.h"

namespace truenas::mover {
namespace {

constexpr int k_looks = 3;

// One directory of the source on the way down.
struct Level {
  std::shared_ptr<Place> place;
  Owner owner;
  PendingNames directories{};
};

bool same_room(const struct statfs& one, const struct statfs& other) {
  const auto unit = [](const struct statfs& room) {
    return static_cast<std::uint64_t>(room.f_frsize != 0 ? room.f_frsize : room.f_bsize);
  };
  return one.f_blocks * unit(one) == other.f_blocks * unit(other) &&
         one.f_bfree * unit(one) == other.f_bfree * unit(other) && one.f_files == other.f_files &&
         one.f_ffree == other.f_ffree;
}

// The names of what may be directories.
Attempt<void> note_directories(Level& level, int directory) {
  const Attempt<Descriptor> again = open_itself(directory);
  if (!again) return Attempt<void>::failed(again.number());
  return for_each_entry(again->get(), [&](const char* name, unsigned char type) {
    if (type == DT_DIR || type == DT_UNKNOWN) level.directories.add(name, true);
    return 0;
  });
}

class Search {
 public:
  explicit Search(Run& run) : run_(run) {}

  Result<void> from(const std::shared_ptr<Place>& top) {
    TM_TRY(enter(Level{top, run_.source.attributes().owner}));
    while (!levels_.empty() && !interrupted()) {
      if (levels_.back().directories.empty()) {
        run_.source_places.leave(levels_.back().place);
        levels_.pop_back();
        continue;
      }
      TM_TRY(look_at(levels_.back().directories.take().first));
    }
    return {};
  }

 private:
  Error cannot_look(int number, const std::string& path) const {
    return make_error(Kind::refused,
                      "refused: whether " + shown(path) +
                          " of the source holds the target cannot be seen: " + errno_text(number));
  }

  Result<void> enter(Level level) {
    const Attempt<OpenDirectory> open = run_.source_places.open(level.place);
    int number = open.number();
    if (open.ok()) {
      const Acting reader(run_.reader_of(level.owner));
      number = note_directories(level, (*open)->get()).number();
    }
    if (number == ENOENT || number == ESTALE) return {};
    if (number != 0) return cannot_look(number, level.place->path());
    levels_.push_back(std::move(level));
    return {};
  }

  Result<void> look_at(const std::string& name) {
    const std::shared_ptr<Place> above = levels_.back().place;
    const std::string path = above->path_of(name);
    if (run_.options.leave_out.contains(path)) return {};
    const Attempt<OpenDirectory> parent = run_.source_places.open(above);
    if (!parent) return cannot_look(parent.number(), path);
    Attempt<Attributes> found = Attempt<Attributes>::failed(EIO);
    {
      const Acting reader(run_.reader_of(levels_.back().owner));
      found = read_attributes((*parent)->get(), name.c_str());
    }
    if (!found && found.number() == ENOENT) return {};
    if (!found) return cannot_look(found.number(), path);
    if (found->type != FileType::directory || found->mount_root) return {};
    Level level{std::make_shared<Place>(above, name, found->key(), run_.reader_of(found->owner)),
                found->owner};
    if (found->inode == run_.target.attributes().inode) TM_TRY(check(level, *found));
    return enter(std::move(level));
  }

  // A directory that has the number of the target's root.
  Result<void> check(const Level& level, const Attributes& found) {
    const Attempt<OpenDirectory> open = run_.source_places.open(level.place);
    if (!open) return cannot_look(open.number(), level.place->path());
    const Acting reader(run_.reader_of(level.owner));
    if (!is_target_root(run_, found, (*open)->get())) return {};
    return make_error(Kind::refused, "refused: the target " + shown(run_.target.path()) +
                                         " lies inside the source, under another name: " +
                                         shown(level.place->path()) + " of the source is the target");
  }

  Run& run_;
  std::vector<Level> levels_;
};

}  // namespace

bool may_share_filesystem(int one, int other) {
  for (int times = 0; times < k_looks; ++times) {
    struct statfs first {};
    struct statfs second {};
    if (::fstatfs(one, &first) != 0 || ::fstatfs(other, &second) != 0) return true;
    if (same_room(first, second)) return true;
  }
  return false;
}

Result<void> search_for_target(Run& run, const std::shared_ptr<Place>& source) {
  return Search(run).from(source);
}

}  // namespace truenas::mover
