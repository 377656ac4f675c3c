#include "lib/mover/copy/opened.h"

#include <sys/stat.h>

#include <algorithm>

#include "lib/mover/copy/access.h"
#include "lib/mover/copy/run.h"
#include "lib/mover/identity.h"

namespace truenas::mover {

void OpenedDirectories::add(const std::shared_ptr<DirectoryPair>& directory) {
  const std::lock_guard lock(mutex_);
  directories_.try_emplace(directory.get(), directory);
}

void OpenedDirectories::forget(const DirectoryPair& directory) {
  std::shared_ptr<DirectoryPair> last;  // let go after the lock: it may take those above with it
  const std::lock_guard lock(mutex_);
  const auto at = directories_.find(&directory);
  if (at == directories_.end()) return;
  last = std::move(at->second);
  directories_.erase(at);
}

std::vector<std::shared_ptr<DirectoryPair>> OpenedDirectories::take() {
  std::vector<std::shared_ptr<DirectoryPair>> all;
  {
    const std::lock_guard lock(mutex_);
    for (auto& [pointer, directory] : directories_) all.push_back(std::move(directory));
    directories_.clear();
  }
  std::stable_sort(all.begin(), all.end(), [](const auto& left, const auto& right) {
    return left->target->depth() > right->target->depth();
  });
  return all;
}

void close_opened(Run& run, bool as_found) {
  for (const std::shared_ptr<DirectoryPair>& pair : run.opened.take()) {
    const std::uint16_t mode = as_found && !pair->created ? pair->found.mode : pair->wanted.mode;
    give_mode(run, pair->target, pair->owner, mode, "cannot close the directory again");
  }
}

void give_mode(Run& run, const std::shared_ptr<Place>& place, Owner owner, std::uint16_t mode,
               std::string_view doing) {
  const Attempt<OpenDirectory> directory = run.target_places.open(place);
  const Acting keeper(keeper_of(run.rules.way, owner));
  int number = directory.number();
  if (directory.ok() && ::fchmod((*directory)->get(), mode) != 0) number = errno;
  if (number != 0) fail(run, place->path(), doing, number);
}

}  // namespace truenas::mover
