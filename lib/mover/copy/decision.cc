#include "lib/mover/copy/decision.h"

namespace truenas::mover {
namespace {

bool mode_differs(const Attributes& source, const Attributes& target) {
  return source.type != FileType::symlink && source.mode != target.mode;
}

bool newer_ctime(const Attributes& source, const Attributes& target, const DecisionRules& rules) {
  return rules.ctime_counts && source.ctime >= target.ctime;
}

bool same_content(const Attributes& source, const Attributes& target, bool suspect) {
  switch (source.type) {
    case FileType::regular:
    case FileType::symlink:
      return source.size == target.size && source.mtime == target.mtime && !suspect;
    default:
      return true;  // FIFOs and sockets have none
  }
}

Decision refuse(std::string kind, std::string why) {
  return Decision{Action::refuse, false, std::move(kind), std::move(why)};
}

}  // namespace

bool attributes_differ(const Attributes& source, const Attributes& target) {
  return mode_differs(source, target) || source.owner != target.owner || source.mtime != target.mtime;
}

bool xattrs_suspect(const Attributes& source, const Attributes& target, const DecisionRules& rules,
                    bool again) {
  return again || newer_ctime(source, target, rules) || attributes_differ(source, target);
}

Decision decide(const Attributes& source, const Attributes* target, const DecisionRules& rules, bool again) {
  const bool device = source.type == FileType::block_device || source.type == FileType::character_device;
  if (device || source.type == FileType::unknown)
    return refuse("cannot-be-copied",
                  std::string("a ") + type_name(source.type) + " cannot be copied; leave it out by its path");
  if (const auto obstacle = owner_obstacle(rules.way, source.owner, rules.single_owner))
    return refuse("owner-refused", *obstacle);
  if (target == nullptr) return Decision{Action::create, true, {}, {}};
  const Decision replace{Action::replace, true, {}, {}};
  if (source.type != target->type) return replace;
  // Where nothing can be given away, only making it anew changes an owner.
  if (rules.way != OwnerWay::chown && source.owner != target->owner) return replace;
  if (source.type == FileType::directory)
    return Decision{Action::descend, xattrs_suspect(source, *target, rules, again), {}, {}};
  const bool suspect = newer_ctime(source, *target, rules);
  if (target->links > source.links) return replace;
  if (again || !same_content(source, *target, suspect)) return replace;
  if (!suspect && !attributes_differ(source, *target)) return Decision{};
  // Its other names may be somebody else's: what is shared is not changed but left.
  if (target->links > 1) return replace;
  return Decision{Action::adjust, true, {}, {}};
}

}  // namespace truenas::mover
