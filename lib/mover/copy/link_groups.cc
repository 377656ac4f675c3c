#include "lib/mover/copy/link_groups.h"

#include <utility>

namespace truenas::mover {

LinkGroups::Arrival LinkGroups::arrive(FileItem& item) {
  const std::lock_guard lock(mutex_);
  const FileKey key = item.source.key();
  const auto [at, fresh] = groups_.try_emplace(key);
  Group& group = at->second;
  if (fresh) {
    group.seen = 1;
    return {Role::leader, std::nullopt};
  }
  if (!group.leader) {
    group.waiting.push_back(std::move(item));
    return {Role::waiting, std::nullopt};
  }
  Arrival arrival{Role::member, group.leader};
  if (++group.seen >= item.source.links) groups_.erase(at);
  return arrival;
}

bool LinkGroups::claim(FileKey target, FileKey group) {
  const std::lock_guard lock(mutex_);
  return claims_.try_emplace(target, group).first->second == group;
}

std::vector<FileItem> LinkGroups::lead(FileKey group, LinkLeader leader) {
  const std::lock_guard lock(mutex_);
  const auto at = groups_.find(group);
  if (at == groups_.end()) return {};
  at->second.leader = std::move(leader);
  return std::exchange(at->second.waiting, {});
}

std::vector<FileItem> LinkGroups::abandon(FileKey group) {
  const std::lock_guard lock(mutex_);
  const auto at = groups_.find(group);
  if (at == groups_.end()) return {};
  std::vector<FileItem> waiting = std::move(at->second.waiting);
  groups_.erase(at);
  return waiting;
}

void LinkGroups::remember(const Attributes& target) {
  if (target.links < 2) return;
  const std::lock_guard lock(mutex_);
  ctimes_.try_emplace(target.key(), target.ctime);
}

Timestamp LinkGroups::ctime_of(const Attributes& target) const {
  const std::lock_guard lock(mutex_);
  const auto before = ctimes_.find(target.key());
  return before == ctimes_.end() ? target.ctime : before->second;
}

}  // namespace truenas::mover
