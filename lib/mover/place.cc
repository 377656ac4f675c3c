#include "lib/mover/place.h"

#include <algorithm>
#include <vector>

#include "lib/mover/attributes.h"
#include "lib/mover/directory.h"
#include "lib/mover/identity.h"

namespace truenas::mover {

Place::Place(std::shared_ptr<Place> parent, std::string name, FileKey key, std::optional<Owner> owner)
    : parent_(std::move(parent)),
      name_(std::move(name)),
      key_(key),
      owner_(owner),
      depth_(parent_->depth_ + 1) {}

// The chain above is let go in a loop: by recursion a tree of a million levels would use up the stack.
Place::~Place() {
  std::shared_ptr<Place> above = std::move(parent_);
  while (above && above.use_count() == 1) {
    std::shared_ptr<Place> next = std::move(above->parent_);
    above = std::move(next);
  }
}

std::string Place::path() const {
  if (!parent_) return ".";
  std::vector<const Place*> chain;
  for (const Place* place = this; place->parent_; place = place->parent_.get()) chain.push_back(place);
  std::string path;
  for (auto place = chain.rbegin(); place != chain.rend(); ++place) {
    if (!path.empty()) path += '/';
    path += (*place)->name_;
  }
  return path;
}

std::string Place::path_of(std::string_view name) const {
  if (!parent_) return std::string(name);
  return path() + "/" + std::string(name);
}

OpenDirectory OpenPlaces::find(const std::shared_ptr<Place>& place) {
  const std::lock_guard lock(mutex_);
  if (place->open_ && place->listed_) recent_.splice(recent_.begin(), recent_, place->recent_);
  return place->open_;
}

OpenDirectory OpenPlaces::put(const std::shared_ptr<Place>& place, Descriptor descriptor) {
  auto open = std::make_shared<const Descriptor>(std::move(descriptor));
  OpenDirectory given_up;  // closed after the lock is let go: close may wait for a server
  const std::lock_guard lock(mutex_);
  if (place->open_) return place->open_;
  place->open_ = open;
  recent_.push_front(place);
  place->recent_ = recent_.begin();
  place->listed_ = true;
  while (recent_.size() > capacity_) {
    if (const std::shared_ptr<Place> oldest = recent_.back().lock()) {
      given_up = std::move(oldest->open_);
      oldest->listed_ = false;
    }
    recent_.pop_back();
  }
  return open;
}

void OpenPlaces::leave(const std::shared_ptr<Place>& place) {
  OpenDirectory given_up;  // closed after the lock is let go
  {
    const std::lock_guard lock(mutex_);
    if (!place->listed_) return;
    recent_.erase(place->recent_);
    place->listed_ = false;
    given_up = std::move(place->open_);
  }
  if (given_up && place->parent_ && !find(place->parent_)) open_above(place->parent_, given_up);
}

// A failure is none: open() then comes from above.
void OpenPlaces::open_above(const std::shared_ptr<Place>& place, const OpenDirectory& open) {
  const Acting acting(place->owner_);
  if (!acting.taken()) return;
  Attempt<Descriptor> descriptor = open_directory(open->get(), "..");
  if (!descriptor) return;
  const Attempt<Attributes> attributes = read_attributes(descriptor->get());
  if (attributes.ok() && attributes->key() == place->key_) put(place, std::move(*descriptor));
}

Attempt<OpenDirectory> OpenPlaces::open(const std::shared_ptr<Place>& place) {
  std::vector<std::shared_ptr<Place>> closed;
  OpenDirectory above;
  for (std::shared_ptr<Place> at = place; at; at = at->parent_) {
    above = find(at);
    if (above) break;
    closed.push_back(at);
  }
  while (!closed.empty()) {
    const std::shared_ptr<Place> next = std::move(closed.back());
    closed.pop_back();
    Attempt<Descriptor> descriptor =
        open_directory(above->get(), next->name_.c_str(), next->parent_->owner_, next->owner_);
    if (!descriptor) return Attempt<OpenDirectory>::failed(descriptor.number());
    const Attempt<Attributes> attributes = read_attributes(descriptor->get());
    if (!attributes) return Attempt<OpenDirectory>::failed(attributes.number());
    if (attributes->key() != next->key_) return Attempt<OpenDirectory>::failed(ESTALE);
    above = put(next, std::move(*descriptor));
  }
  return above;
}

}  // namespace truenas::mover
